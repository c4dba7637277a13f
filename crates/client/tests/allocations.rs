//! The usual span takes no memory from the allocator.

#![cfg(test)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use glasshouse_client::Tracer;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts what this thread takes.
struct Counting;

// SAFETY: it only hands on to the system's allocator.
#[expect(unsafe_code, reason = "an allocator is")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending is not of interest.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What these spans take, when many were made before.
fn allocations(tracer: &Tracer, span: impl Fn(&Tracer)) -> u64 {
    (0..1000).for_each(|_| span(tracer));
    let before = ALLOCATIONS.get();
    (0..10_000).for_each(|_| span(tracer));
    ALLOCATIONS.get() - before
}

#[test]
fn the_usual_span_allocates_nothing() {
    // Nobody is there: what there is no room for is dropped, at no other price.
    let tracer = Tracer::connect("http://127.0.0.1:9").unwrap();
    let plain = |tracer: &Tracer| tracer.span("work").start().end();
    let usual = |tracer: &Tracer| {
        let outer = tracer.span("work").with_attribute("item", 7).with_attribute("kind", "pen").start();
        let _current = outer.enter();
        let mut inner = tracer.span("part").start();
        inner.set_attribute("ok", true);
        inner.add_event("seen", &[("page", 3.into())]);
    };
    let log = |tracer: &Tracer| tracer.log(glasshouse_client::Level::Info, "it works").with_attribute("n", 1).emit();
    assert_eq!(allocations(&tracer, plain), 0);
    assert_eq!(allocations(&tracer, usual), 0);
    assert_eq!(allocations(&tracer, log), 0);
    assert_eq!(allocations(&Tracer::disabled(), usual), 0);
    // It counts.
    assert!(allocations(&tracer, |_| drop(Box::new(7))) >= 10_000);
}
