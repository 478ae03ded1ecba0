//! See `checks/target.rs`.
#![no_main]

use std::cell::RefCell;

use checks::target::World;

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| WORLD.with_borrow_mut(|world| world.check(bytes)));
