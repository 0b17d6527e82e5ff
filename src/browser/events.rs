//! Event listeners that end with their owner.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::Event;

use super::window;

/// A listener on the window, removed when this is dropped.
pub struct Listener {
    name: &'static str,
    closure: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Listens for an event of the window.
    #[must_use]
    pub fn new(name: &'static str, heard: impl FnMut(Event) + 'static) -> Self {
        let closure = Closure::new(heard);
        // In an environment without events there is nothing to hear.
        let _ = window().add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
        Self { name, closure }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let callback = self.closure.as_ref().unchecked_ref();
        let _ = window().remove_event_listener_with_callback(self.name, callback);
    }
}

/// Whether a `pageshow` event brings a page back from the back/forward cache.
#[must_use]
pub fn is_from_cache(event: &Event) -> bool {
    event.unchecked_ref::<web_sys::PageTransitionEvent>().persisted()
}
