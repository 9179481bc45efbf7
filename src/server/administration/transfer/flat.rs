//! One flat JSON object of two parts: what a record has of its own, and its settings, of which those that are empty are
//! left out. serde can flatten, but then cannot refuse what it does not know.

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// Settings that stand beside a record.
pub trait Settings: Serialize + DeserializeOwned {
    /// The members of the record; every other member is a setting.
    const BESIDE: &'static [&'static str];

    /// What holds where nothing is said.
    fn usual() -> Self;
}

/// A record and its settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Flat<R, S> {
    /// What it has of its own.
    pub record: R,
    /// What can be edited.
    pub settings: S,
}

impl<R: Serialize, S: Settings> Serialize for Flat<R, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let record = members(&self.record).map_err(Z::Error::custom)?;
        let usual = members(&S::usual()).map_err(Z::Error::custom)?;
        let mut settings = members(&self.settings).map_err(Z::Error::custom)?;
        settings.retain(|name, value| !is_nothing(value) || usual.get(name) != Some(value));
        let mut map = serializer.serialize_map(Some(record.len() + settings.len()))?;
        for (name, value) in record.iter().chain(&settings) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de, R: DeserializeOwned, S: Settings> Deserialize<'de> for Flat<R, S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut record = Map::new();
        let mut settings = members(&S::usual()).map_err(D::Error::custom)?;
        for (name, value) in Map::deserialize(deserializer)? {
            if S::BESIDE.contains(&name.as_str()) {
                record.insert(name, value);
            } else if let Some(place) = settings.get_mut(&name) {
                *place = value;
            } else {
                return Err(D::Error::unknown_field(&name, &[]));
            }
        }
        Ok(Self {
            record: serde_json::from_value(Value::Object(record)).map_err(D::Error::custom)?,
            settings: serde_json::from_value(Value::Object(settings)).map_err(D::Error::custom)?,
        })
    }
}

fn members(value: &impl Serialize) -> Result<Map<String, Value>, &'static str> {
    match serde_json::to_value(value) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err("a record that is no JSON object"),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}
