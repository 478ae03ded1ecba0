//! The demonstration site is part of the program: when a file of it comes, goes or changes, the program is built again.

fn main() {
    println!("cargo:rerun-if-changed=www");
}
