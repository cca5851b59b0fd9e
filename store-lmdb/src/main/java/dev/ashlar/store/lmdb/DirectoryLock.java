package dev.ashlar.store.lmdb;

import dev.ashlar.block.StoreLockedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps a directory to one user. The lock is the operating system's and ends with the process; the
 * file says which process has it.
 */
final class DirectoryLock implements AutoCloseable {

  static final String FILE = "ashlar.lock";

  private static final int TEXT_BYTES_MAX = 40;

  /**
   * Directories in use in this JVM. It is static because what it guards is of the process: closing
   * any channel of a file gives up the process's locks on it, so the file must not be touched while
   * another store here holds it.
   */
  private static final Set<Path> IN_USE = ConcurrentHashMap.newKeySet();

  private final Path directory;
  private final FileChannel channel;
  private final Owner before;

  private DirectoryLock(Path directory, FileChannel channel, Owner before) {
    this.directory = directory;
    this.channel = channel;
    this.before = before;
  }

  /**
   * Who is named in the file.
   *
   * @param pid the process, empty where the directory was given up
   * @param lostBefore how many in a row before it ended without giving the directory up
   */
  private record Owner(OptionalLong pid, int lostBefore) {

    static final Owner NOBODY = new Owner(OptionalLong.empty(), 0);

    static Owner decode(String text) {
      String[] words = text.strip().split(" ", 2);
      try {
        return new Owner(
            OptionalLong.of(Long.parseLong(words[0])),
            words.length < 2 ? 0 : Integer.parseInt(words[1]));
      } catch (NumberFormatException e) {
        return NOBODY;
      }
    }

    String encode() {
      return pid.isEmpty() ? "" : pid.getAsLong() + " " + lostBefore;
    }

    /** How many ended so, this one among them. */
    int lost() {
      return pid.isEmpty() ? 0 : lostBefore + 1;
    }
  }

  /**
   * Takes the lock.
   *
   * @param directory exists
   * @throws StoreLockedException when somebody else has it
   */
  static DirectoryLock take(Path directory) throws IOException {
    Path real = directory.toRealPath();
    if (!IN_USE.add(real)) {
      throw new StoreLockedException(directory.toString(), ProcessHandle.current().pid());
    }
    FileChannel channel = null;
    try {
      Path file = real.resolve(FILE);
      channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.READ);
      FileLock lock = channel.tryLock();
      if (lock == null) {
        throw new StoreLockedException(directory.toString(), readPid(file));
      }
      DirectoryLock taken = new DirectoryLock(real, channel, read(channel));
      taken.write(taken.lost());
      return taken;
    } catch (OverlappingFileLockException e) {
      // Held by this JVM under another name. Closing the channel would give up that lock.
      IN_USE.remove(real);
      throw new StoreLockedException(directory.toString(), ProcessHandle.current().pid());
    } catch (IOException | RuntimeException e) {
      if (channel != null) {
        channel.close();
      }
      IN_USE.remove(real);
      throw e;
    }
  }

  /** The process that had the directory last, if it ended without giving it up. */
  OptionalLong predecessor() {
    return before.pid();
  }

  /** How many processes in a row have ended without giving the directory up. */
  int lost() {
    return before.lost();
  }

  /** Begins to count anew. */
  void forgive() throws IOException {
    write(0);
  }

  private void write(int lost) throws IOException {
    write(new Owner(OptionalLong.of(ProcessHandle.current().pid()), lost));
  }

  private void write(Owner owner) throws IOException {
    channel.truncate(0);
    channel.write(ByteBuffer.wrap(owner.encode().getBytes(StandardCharsets.US_ASCII)), 0);
  }

  /** Gives the directory up as it was found, for nothing has been done with it. */
  void undo() throws IOException {
    try (channel) {
      write(before);
    } finally {
      IN_USE.remove(directory);
    }
  }

  @Override
  public void close() throws IOException {
    // Closing gives the lock up, whatever becomes of the pid.
    try (channel) {
      channel.truncate(0);
    } finally {
      IN_USE.remove(directory);
    }
  }

  private static long readPid(Path file) {
    return read(file).pid().orElse(-1);
  }

  private static Owner read(Path file) {
    try {
      return Owner.decode(Files.readString(file, StandardCharsets.US_ASCII));
    } catch (IOException e) {
      return Owner.NOBODY;
    }
  }

  /** Through the channel that has the lock: to close another one would give it up. */
  private static Owner read(FileChannel channel) throws IOException {
    ByteBuffer text = ByteBuffer.allocate(TEXT_BYTES_MAX);
    channel.read(text, 0);
    return Owner.decode(new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII));
  }
}
