//! The server's end of a connection, as its engine sees it: a socket that is short of room, interrupted, and
//! told of news while the server looks elsewhere.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use holdline::server::{Readiness, Socket, TcpInfo};

use super::line::{Fin, Line};
use super::scene::Scene;

/// The server's end of a line.
pub struct SimulatedSocket {
    pub line: Rc<RefCell<Line>>,
    pub scene: Rc<Scene>,
    pub reset: bool,
}

impl Socket for SimulatedSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (line, scene) = (&mut *self.line.borrow_mut(), &*self.scene);
        line.about_to_read(scene);
        if scene.mishap(20) {
            line.deliver(1, scene);
        }
        if line.reset && (line.inbox.is_empty() || scene.chance(2)) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if line.inbox.is_empty() && line.fin != Fin::Arrived {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = buffer.len().min(line.inbox.len());
        for (place, byte) in buffer.iter_mut().zip(line.inbox.drain(..count)) {
            *place = byte;
        }
        line.was_read(count, scene);
        // More comes while the server looks at this.
        if scene.mishap(20) {
            line.deliver(usize::MAX, scene);
        }
        Ok(count)
    }

    fn write(&mut self, first: &[u8], behind: &[u8], _more: bool) -> io::Result<usize> {
        let bytes = [first, behind].concat();
        let (line, scene) = (&mut *self.line.borrow_mut(), &*self.scene);
        if line.reset {
            return Err(scene.random.borrow_mut().pick(&[ErrorKind::BrokenPipe, ErrorKind::ConnectionReset]).into());
        }
        line.note_turn(scene);
        line.attempt.get_or_insert((scene.now.get(), line.delivered_before));
        let room = scene.climate.outbox - line.outbox;
        let mut count = bytes.len().min(room);
        line.full = count < bytes.len();
        if count == 0 {
            return if bytes.is_empty() { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        }
        if scene.mishap(30) {
            // The kernel is short of memory, but not for long.
            count = scene.random.borrow_mut().size(1..=count);
            line.full = false;
            line.tell(Readiness { writable: true, ..Readiness::default() }, scene);
        }
        line.wrote(&bytes[..count], scene);
        Ok(count)
    }

    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        let mut bytes = vec![0; count.min(self.scene.climate.outbox + 1)];
        let read = file.read_at(&mut bytes, offset)?;
        if read == 0 { Ok(0) } else { self.write(&bytes[..read], &[], false) }
    }

    fn send_fin(&mut self) -> io::Result<()> {
        let (line, scene) = (&mut *self.line.borrow_mut(), &*self.scene);
        if line.reset {
            return Err(ErrorKind::NotConnected.into());
        }
        line.ends(false, scene);
        line.our_fin = Some(scene.now.get());
        scene.note(line.id, "server's FIN", 0);
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
        let (line, scene) = (&mut *self.line.borrow_mut(), &*self.scene);
        // With unread bytes in its queue the kernel makes an RST of a close.
        let reset = self.reset || !line.inbox.is_empty();
        line.closes(reset, scene);
        line.gone = Some(reset);
        line.news = Readiness::default();
        if reset {
            line.outbox = 0;
        }
        scene.note(line.id, if reset { "server's RST" } else { "server closed" }, 0);
    }
}
