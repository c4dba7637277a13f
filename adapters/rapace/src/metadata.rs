//! The trace's context, as metadata of the channel that a request goes by.

use std::collections::{HashMap, VecDeque};

use glasshouse_client::{SpanContext, propagation};
use rapace::rapace_core::{ControlPayload, control_method};
use rapace::{Frame, FrameFlags, MsgDescHot, facet_postcard};

/// Channels that were opened and whose request did not come yet, at most: a peer may say what it wants.
const MAX_OPENED: usize = 1024;

/// The frame that tells of the request that follows on a channel. A control frame would be kept from dispatchers if it
/// were not data too, and nobody answers it.
pub fn open_channel(channel: u32, method: &str, caller: &SpanContext) -> Frame {
    let mut headers: Vec<(String, String)> = Vec::new();
    propagation::inject(caller, &mut headers);
    let (service_name, method_name) = method.split_once('.').unwrap_or(("", method));
    let payload = ControlPayload::OpenChannel {
        channel_id: channel,
        service_name: service_name.to_owned(),
        method_name: method_name.to_owned(),
        metadata: headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect(),
    };
    let mut desc = MsgDescHot::new();
    desc.method_id = control_method::OPEN_CHANNEL;
    desc.flags = FrameFlags::CONTROL | FrameFlags::DATA | FrameFlags::NO_REPLY;
    // Text and bytes can always be written.
    let payload = facet_postcard::to_vec(&payload).unwrap_or_default();
    Frame::with_payload(desc, payload)
}

/// Whether a frame tells of a request that follows.
pub fn is_open_channel(frame: &Frame) -> bool {
    let desc = &frame.desc;
    desc.channel_id == 0 && desc.flags.contains(FrameFlags::CONTROL) && desc.method_id == control_method::OPEN_CHANNEL
}

/// Who calls, by channel, from the frame before the request to the request.
#[derive(Debug, Default)]
pub struct Callers {
    by_channel: HashMap<u32, SpanContext>,
    /// Channels in the order in which they were opened; some are not waited for any more.
    opened: VecDeque<u32>,
}

impl Callers {
    /// Keeps what a frame tells, if it tells of a caller.
    pub fn note(&mut self, frame: &Frame) {
        let Ok(ControlPayload::OpenChannel { channel_id, metadata, .. }) =
            facet_postcard::from_slice(frame.payload_bytes())
        else {
            return;
        };
        let text = |(name, value): (String, Vec<u8>)| Some((name, String::from_utf8(value).ok()?));
        let headers: Vec<(String, String)> = metadata.into_iter().filter_map(text).collect();
        let Some(caller) = propagation::extract(&headers) else { return };
        self.by_channel.insert(channel_id, caller);
        self.opened.push_back(channel_id);
        if self.opened.len() > MAX_OPENED {
            let oldest = self.opened.pop_front();
            oldest.and_then(|channel| self.by_channel.remove(&channel));
        }
    }

    /// Who makes the request that comes by a channel.
    pub fn take(&mut self, channel: u32) -> Option<SpanContext> {
        let caller = self.by_channel.remove(&channel);
        while self.opened.front().is_some_and(|channel| !self.by_channel.contains_key(channel)) {
            self.opened.pop_front();
        }
        caller
    }
}

#[cfg(test)]
mod tests {
    use glasshouse_client::{SpanId, TraceFlags, TraceId, TraceState};

    use super::*;

    fn caller(number: u8) -> SpanContext {
        let (trace, span) = (TraceId::from_slice(&[number; 16]).unwrap(), SpanId::from_slice(&[number; 8]).unwrap());
        SpanContext::remote(trace, span, TraceFlags::SAMPLED, TraceState::default())
    }

    #[test]
    fn a_caller_is_known_until_its_request() {
        let mut callers = Callers::default();
        let frame = open_channel(7, "Calculator.add", &caller(1));
        assert!(is_open_channel(&frame));
        callers.note(&frame);
        assert_eq!(callers.take(9), None);
        assert_eq!(callers.take(7), Some(caller(1)));
        assert_eq!(callers.take(7), None);
        assert!(callers.opened.is_empty());
    }

    #[test]
    fn channels_that_are_never_used_are_forgotten() {
        let mut callers = Callers::default();
        for channel in 1..=MAX_OPENED as u32 + 10 {
            callers.note(&open_channel(channel, "m", &caller(1)));
        }
        assert_eq!((callers.by_channel.len(), callers.opened.len()), (MAX_OPENED, MAX_OPENED));
        assert_eq!(callers.take(10), None);
        assert_eq!(callers.take(11), Some(caller(1)));
    }

    #[test]
    fn what_cannot_be_read_is_no_caller() {
        let mut callers = Callers::default();
        callers.note(&Frame::with_payload(MsgDescHot::new(), vec![0xff; 40]));
        assert!(callers.by_channel.is_empty());
    }
}
