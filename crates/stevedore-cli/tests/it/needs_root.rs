//! File systems of their own, in image files that only root can mount: full ones, ones that share blocks, ones that have
//! no links, and ones that can only be read.

mod full_disk;
mod mount;
mod plain;
mod read_only;
mod reflink;

use mount::Mount;
