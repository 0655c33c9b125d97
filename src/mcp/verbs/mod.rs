//! The tools, a file each.

mod answer;
mod approve;
mod connections;
mod disconnect;
mod login;
mod output;
mod read;
mod run;
mod status;
mod stop;
#[cfg(test)]
mod tests;
mod wait;

pub(super) use answer::answer;
pub(super) use connections::connections;
pub(super) use disconnect::{disconnect, sign_out};
pub(super) use login::{begin as begin_sign_in, login};
pub(super) use output::output;
pub(super) use read::read;
pub(super) use run::{default_shape, run};
pub(super) use status::status;
pub(super) use stop::stop;
pub(super) use wait::wait;
