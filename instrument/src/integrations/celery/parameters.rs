//! The parameters of a task, which tell when they cannot be decoded.

use ::celery::task::Task;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Measured;

/// The parameters of the task `T`, in celery's messages exactly as they are without metrics.
pub struct Parameters<T: Task>(pub(super) T::Params);

impl<T: Task> Clone for Parameters<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Task> Serialize for Parameters<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Task + 'static> Deserialize<'de> for Parameters<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match T::Params::deserialize(deserializer) {
            Ok(params) => Ok(Self(params)),
            Err(error) => {
                // No layer sees this, and celery goes on with the next message.
                Measured::<T>::metrics().payload_failed();
                Err(error)
            }
        }
    }
}

impl<T: Task> std::fmt::Debug for Parameters<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parameters").finish_non_exhaustive()
    }
}
