//! The server's end of a connection, as its engine uses it: a socket whose send buffer may be full, whose writes may be
//! short, and which receives bytes while the server looks elsewhere.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use holdline::server::{Readiness, Socket, TcpInfo};

use super::connection::{ClientFin, Connection};
use super::shared::Shared;
use super::slots::Standing;

/// The server's end of a connection.
pub struct SimulatedSocket {
    pub connection: Rc<RefCell<Connection>>,
    pub shared: Rc<Shared>,
    /// The close will send an RST.
    pub reset: bool,
}

impl Socket for SimulatedSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (connection, shared) = (&mut *self.connection.borrow_mut(), &*self.shared);
        connection.about_to_read(shared);
        // What arrives while the server makes room would change which connections may be closed for another.
        let may_arrive = !shared.slots.borrow().makes_room_for_another(connection.id);
        if may_arrive && shared.inject_fault(20) {
            // What arrives after a change was perhaps sent after it, and must not get the old file.
            if shared.one_in(2) {
                shared.change_a_file(&mut shared.random.borrow_mut());
            }
            let count = shared.random.borrow_mut().pick(&[1, usize::MAX]);
            connection.deliver(count, shared);
        }
        if connection.reset && (connection.received.is_empty() || shared.one_in(2)) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if connection.received.is_empty() && connection.client_fin != ClientFin::Arrived {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = buffer.len().min(connection.received.len());
        for (place, byte) in buffer.iter_mut().zip(connection.received.drain(..count)) {
            *place = byte;
        }
        connection.was_read(count, shared);
        // More arrives while the server works on this.
        if may_arrive && shared.inject_fault(20) {
            connection.deliver(usize::MAX, shared);
        }
        Ok(count)
    }

    fn write(&mut self, first: &[u8], behind: &[u8], _more: bool) -> io::Result<usize> {
        let bytes = [first, behind].concat();
        let (connection, shared) = (&mut *self.connection.borrow_mut(), &*self.shared);
        if connection.reset {
            return Err(shared.random.borrow_mut().pick(&[ErrorKind::BrokenPipe, ErrorKind::ConnectionReset]).into());
        }
        connection.note_iteration(shared);
        connection.attempt.get_or_insert((shared.now.get(), connection.delivered_before));
        let room = shared.settings.send_buffer - connection.unsent;
        let mut count = bytes.len().min(room);
        connection.full = count < bytes.len();
        if count == 0 {
            return if bytes.is_empty() { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        }
        if shared.inject_fault(30) {
            // The kernel is short of memory for a moment.
            count = shared.random.borrow_mut().size(1..=count);
            connection.full = false;
            connection.notify(Readiness { writable: true, ..Readiness::default() }, shared);
        }
        connection.wrote(&bytes[..count], shared);
        Ok(count)
    }

    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        let mut bytes = vec![0; count.min(self.shared.settings.send_buffer + 1)];
        let read = file.read_at(&mut bytes, offset)?;
        if read == 0 { Ok(0) } else { self.write(&bytes[..read], &[], false) }
    }

    fn send_fin(&mut self) -> io::Result<()> {
        let (connection, shared) = (&mut *self.connection.borrow_mut(), &*self.shared);
        if connection.reset {
            return Err(ErrorKind::NotConnected.into());
        }
        connection.ends(false, shared);
        connection.server_fin = Some(shared.now.get());
        connection.begun_before_fin = connection.has_begun(connection.read);
        connection.stand(Standing::Lingering, shared);
        shared.record(connection.id, "server's FIN", 0);
        Ok(())
    }

    fn reset_on_close(&mut self) {
        self.reset = true;
    }

    fn tcp_info(&self) -> Option<TcpInfo> {
        None
    }

    fn limit_send_buffer(&mut self, _bytes: usize) {}
}

impl Drop for SimulatedSocket {
    fn drop(&mut self) {
        let (connection, shared) = (&mut *self.connection.borrow_mut(), &*self.shared);
        connection.note_iteration(shared);
        // A close with unread bytes in the receive buffer sends an RST.
        let reset = self.reset || !connection.received.is_empty();
        connection.closes(reset, shared);
        connection.closed = Some(reset);
        connection.reset_by_unread = reset && connection.delivered_before > connection.read;
        connection.stand(Standing::Closed, shared);
        connection.readiness = Readiness::default();
        if reset {
            connection.unsent = 0;
        }
        shared.record(connection.id, if reset { "server's RST" } else { "server closed" }, 0);
    }
}
