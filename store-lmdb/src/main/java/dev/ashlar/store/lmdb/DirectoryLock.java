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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps a directory to one user. The lock is the operating system's and ends with the process; the
 * file says which process has it.
 */
final class DirectoryLock implements AutoCloseable {

  private static final String FILE = "ashlar.lock";

  /**
   * Directories in use in this JVM. It is static because what it guards is of the process: closing
   * any channel of a file gives up the process's locks on it, so the file must not be touched while
   * another store here holds it.
   */
  private static final Set<Path> IN_USE = ConcurrentHashMap.newKeySet();

  private final Path directory;
  private final FileChannel channel;

  private DirectoryLock(Path directory, FileChannel channel) {
    this.directory = directory;
    this.channel = channel;
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
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(
              Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)),
          0);
      return new DirectoryLock(real, channel);
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

  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      IN_USE.remove(directory);
    }
  }

  private static long readPid(Path file) {
    try {
      return Long.parseLong(Files.readString(file, StandardCharsets.US_ASCII).strip());
    } catch (IOException | NumberFormatException e) {
      return -1;
    }
  }
}
