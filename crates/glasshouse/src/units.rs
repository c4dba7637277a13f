//! Sizes, ages and addresses as people write them.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;
use std::time::Duration;

use glasshouse_model::DurationNs;

/// A number of bytes: `512MiB`, `1.5GB`, `64k`, `4096`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

/// The text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of bytes with a unit, for example 512MiB, 20GB or 4096")]
pub struct SizeError;

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let text = text.trim();
        let end = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let number: f64 = number.parse().map_err(|_| SizeError)?;
        let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kb" => 1_000,
            "m" | "mb" => 1_000_000,
            "g" | "gb" => 1_000_000_000,
            "t" | "tb" => 1_000_000_000_000,
            "ki" | "kib" => 1 << 10,
            "mi" | "mib" => 1 << 20,
            "gi" | "gib" => 1 << 30,
            "ti" | "tib" => 1 << 40,
            _ => return Err(SizeError),
        };
        Ok(Self((number * factor as f64) as u64))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        let mut value = self.0 as f64;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        let decimals = usize::from(value.fract() > 0.05);
        write!(f, "{value:.decimals$} {}", UNITS[unit])
    }
}

/// Reads a duration such as `30d`, `10m` or `1.5s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let nanos =
        DurationNs::parse(text).map_err(|_| "expected a number with a unit: 100ms, 1.5s, 15m, 6h, 30d")?.nanos();
    Ok(Duration::from_nanos(u64::try_from(nanos).map_err(|error| error.to_string())?))
}

/// Reads an address to listen on: `127.0.0.1:9090`, `[::1]:9090` or `localhost:9090`; port 0 means any.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let mut addresses =
        text.to_socket_addrs().map_err(|error| format!("{error} (expected HOST:PORT, for example 127.0.0.1:9090)"))?;
    addresses.next().ok_or_else(|| "the host has no address".to_owned())
}

/// An address to listen on, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener(pub Option<SocketAddr>);

impl FromStr for Listener {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" { Ok(Self(None)) } else { address(text).map(|address| Self(Some(address))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_both_systems() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(text.parse::<Size>().ok().map(|size| size.0), expected, "{text:?}");
        };
        check("4096", Some(4096));
        check("512MiB", Some(512 << 20));
        check("1.5 GiB", Some(3 << 29));
        check("20gb", Some(20_000_000_000));
        for text in ["", "MiB", "12 parsecs", "-1", "1.2.3k"] {
            check(text, None);
        }
    }

    #[test]
    fn sizes_are_shown_short() {
        assert_eq!(Size(512 << 20).to_string(), "512 MiB");
        assert_eq!(Size(1536).to_string(), "1.5 KiB");
    }

    #[test]
    fn listeners_are_addresses_or_off() {
        assert_eq!("off".parse(), Ok(Listener(None)));
        assert_eq!("127.0.0.1:0".parse(), Ok(Listener(Some(([127, 0, 0, 1], 0).into()))));
        assert!("9090".parse::<Listener>().is_err());
    }

    #[test]
    fn ages_have_units() {
        assert_eq!(duration("30d"), Ok(Duration::from_hours(30 * 24)));
        assert!(duration("soon").is_err());
    }
}
