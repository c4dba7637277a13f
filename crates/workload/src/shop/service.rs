use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use rand::Rng;
use rand::rngs::SmallRng;

use crate::otlp::{int, random_uuid, scope, text, texts};

/// A service of the shop, one process each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Frontend,
    Cart,
    Catalog,
    Recommendation,
    Currency,
    Checkout,
    Payment,
    Shipping,
    Email,
    Accounting,
    FraudDetection,
}

impl Service {
    pub const ALL: [Self; 11] = [
        Self::Frontend,
        Self::Cart,
        Self::Catalog,
        Self::Recommendation,
        Self::Currency,
        Self::Checkout,
        Self::Payment,
        Self::Shipping,
        Self::Email,
        Self::Accounting,
        Self::FraudDetection,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Frontend => "frontend",
            Self::Cart => "cart",
            Self::Catalog => "catalog",
            Self::Recommendation => "recommendation",
            Self::Currency => "currency",
            Self::Checkout => "checkout",
            Self::Payment => "payment",
            Self::Shipping => "shipping",
            Self::Email => "email",
            Self::Accounting => "accounting",
            Self::FraudDetection => "fraud-detection",
        }
    }

    /// Language, its runtime, the runtime's version and the program.
    fn runtime(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Frontend | Self::Payment => ("nodejs", "nodejs", "22.11.0", "node"),
            Self::Cart | Self::Accounting => ("dotnet", ".NET", "9.0.0", "dotnet"),
            Self::Catalog | Self::Checkout => ("go", "go", "go1.25.3", "server"),
            Self::Recommendation => ("python", "cpython", "3.13.1", "python3"),
            Self::Currency => ("cpp", "libstdc++", "14.2", "currencyservice"),
            Self::Shipping => ("rust", "rustc", "1.95.0", "shipping"),
            Self::Email => ("ruby", "ruby", "3.4.1", "ruby"),
            Self::FraudDetection => ("java", "OpenJDK Runtime Environment", "21.0.5+11", "java"),
        }
    }

    /// Host name within the cluster.
    pub fn address(self) -> String {
        format!("{}.shop.svc.cluster.local", self.name())
    }

    pub fn scope(self) -> InstrumentationScope {
        scope(&format!("shop.{}", self.name()), "2.4.1")
    }

    pub fn resource(self, random: &mut SmallRng) -> Resource {
        let (language, runtime, version, executable) = self.runtime();
        let pod: u32 = random.random();
        Resource {
            attributes: vec![
                text("service.name", self.name()),
                text("service.namespace", "shop"),
                text("service.version", "2.4.1"),
                text("service.instance.id", random_uuid(random)),
                text("deployment.environment.name", "demo"),
                text("host.name", format!("node-{}", self as usize % 3 + 1)),
                text("host.arch", "amd64"),
                text("os.type", "linux"),
                text("k8s.namespace.name", "shop"),
                text("k8s.pod.name", format!("{}-{pod:08x}", self.name())),
                int("process.pid", random.random_range(2..400)),
                text("process.executable.name", executable),
                texts("process.command_args", [executable, "--config", "/etc/shop/service.yaml"]),
                text("process.runtime.name", runtime),
                text("process.runtime.version", version),
                text("telemetry.sdk.language", language),
                text("telemetry.sdk.name", "opentelemetry"),
            ],
            ..Default::default()
        }
    }
}
