//! A shop that calls a calculator by rapace over TCP: a call, a stream, and a stream that fails. `calculator [URL]`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use glasshouse_client::{Tracer, WithContext as _};
use glasshouse_rapace::Caller;
use rapace::{ErrorCode, RpcError, RpcSession, Streaming, Transport};
use tokio::net::{TcpListener, TcpStream};

#[rapace::service]
trait Calculator {
    /// Adds.
    async fn add(&self, a: i32, b: i32) -> i32;

    /// Counts down; zero cannot be reached.
    async fn count_down(&self, from: u32) -> Streaming<u32>;
}

struct Sums(Tracer);

impl Calculator for Sums {
    async fn add(&self, a: i32, b: i32) -> i32 {
        let _carry = self.0.span("carry").start();
        a + b
    }

    async fn count_down(&self, from: u32) -> Streaming<u32> {
        let numbers = stream::iter((0..=from).rev());
        Box::pin(numbers.map(|number| match number {
            0 => Err(RpcError::Status { code: ErrorCode::Internal, message: "there is no zero".to_owned() }),
            number => Ok(number),
        }))
    }
}

/// Answers the calls of one connection.
async fn answer(tracer: Tracer, connection: TcpStream) {
    let transport = Transport::stream(connection);
    // One side's channels have odd numbers, the other's even ones.
    let session = Arc::new(RpcSession::with_channel_start(transport, 2));
    glasshouse_rapace::serve(&tracer, &session, |transport| {
        CalculatorServer::new(Sums(tracer.clone())).into_session_dispatcher(transport)
    });
    if let Err(error) = session.run().await {
        eprintln!("the connection broke: {error}");
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://localhost:4318".to_owned());
    let calculator = Tracer::builder(&url).service("calculator").connect_checked()?;
    let shop = Tracer::builder(&url).service("shop").connect_checked()?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn({
        let tracer = calculator.clone();
        async move { answer(tracer, listener.accept().await.expect("somebody connects").0).await }
    });

    let session = Arc::new(RpcSession::new(Transport::stream(TcpStream::connect(address).await?)));
    let running = tokio::spawn(Arc::clone(&session).run());
    let calls = Caller::new(&shop, session);
    let order = async {
        let sum = calls.run(async |session| CalculatorClient::new(session).add(2, 3).await).await?;
        let count = calls.run(async |session| {
            let mut numbers = CalculatorClient::new(session).count_down(sum.unsigned_abs()).await?;
            while let Some(number) = numbers.next().await {
                println!("{}", number?);
            }
            Ok::<_, RpcError>(())
        });
        if let Err(error) = count.await {
            println!("{error}");
        }
        Ok::<_, RpcError>(())
    };
    order.in_span(shop.span("order").start()).await?;

    // The connection is closed, so the server ends too.
    running.abort();
    drop(calls);
    drop(running.await);
    server.await?;
    shop.shutdown(Duration::from_secs(5))?;
    calculator.shutdown(Duration::from_secs(5))?;
    println!("{:?}", shop.statistics());
    Ok(())
}
