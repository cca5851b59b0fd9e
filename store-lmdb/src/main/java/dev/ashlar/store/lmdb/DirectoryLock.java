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

  private static final int PID_DIGITS_MAX = 20;

  /**
   * Directories in use in this JVM. It is static because what it guards is of the process: closing
   * any channel of a file gives up the process's locks on it, so the file must not be touched while
   * another store here holds it.
   */
  private static final Set<Path> IN_USE = ConcurrentHashMap.newKeySet();

  private final Path directory;
  private final FileChannel channel;
  private final OptionalLong predecessor;

  private DirectoryLock(Path directory, FileChannel channel, OptionalLong predecessor) {
    this.directory = directory;
    this.channel = channel;
    this.predecessor = predecessor;
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
      long before = readPid(channel);
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(
              Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)),
          0);
      return new DirectoryLock(
          real, channel, before < 0 ? OptionalLong.empty() : OptionalLong.of(before));
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
    return predecessor;
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
    try {
      return pid(Files.readString(file, StandardCharsets.US_ASCII));
    } catch (IOException e) {
      return -1;
    }
  }

  /** Through the channel that has the lock: to close another one would give it up. */
  private static long readPid(FileChannel channel) throws IOException {
    ByteBuffer text = ByteBuffer.allocate(PID_DIGITS_MAX);
    channel.read(text, 0);
    return pid(new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII));
  }

  private static long pid(String text) {
    try {
      return Long.parseLong(text.strip());
    } catch (NumberFormatException e) {
      return -1;
    }
  }
}
