package dev.ashlar.store.lmdb;

import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.StoreFormatException;
import dev.ashlar.block.StoreLockedException;
import dev.ashlar.block.engine.EngineBlockStore;
import dev.ashlar.block.engine.StorageEngine;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * A block store in a directory. When a write returns, it is on the disk: it survives the end of the
 * process and a power cut. Opening after either is a matter of milliseconds.
 *
 * <p>One store at a time uses a directory. The store is safe for any number of threads and starts
 * none of its own.
 */
public final class LmdbBlockStore extends EngineBlockStore {

  /** What a store consists of beside its lock; the data last, so that it is there until the end. */
  private static final List<String> FILES =
      Stream.concat(Suspicion.MARKS.stream(), Stream.of("lock.mdb", DataFile.NAME)).toList();

  private final LmdbEnvironment environment;

  private LmdbBlockStore(LmdbEnvironment environment, StorageEngine engine, LmdbOptions options) {
    super(engine, options.limits());
    this.environment = environment;
  }

  /**
   * Opens a directory, which is made if it is not there.
   *
   * @throws StoreLockedException when another process, or another store in this one, uses it
   * @throws StoreFormatException when it is of an unknown format, cut off, or marked as suspect
   * @throws StoreFailedException when it cannot be read or written
   */
  public static LmdbBlockStore open(Path directory) {
    return open(directory, LmdbOptions.DEFAULT);
  }

  /** As {@link #open(Path)}, with options. */
  public static LmdbBlockStore open(Path directory, LmdbOptions options) {
    return open(directory, options, () -> {});
  }

  /**
   * As {@link #open(Path)}, with options.
   *
   * @param trusted called when the file has been walked, where something beside it called for that.
   *     What follows takes milliseconds, whatever the size of the file
   */
  public static LmdbBlockStore open(Path directory, LmdbOptions options, Runnable trusted) {
    LmdbEnvironment environment = LmdbEnvironment.open(directory, options, trusted);
    try {
      StorageEngine engine = StorageEngine.open(environment, options.engine());
      return new LmdbBlockStore(environment, engine, options);
    } catch (RuntimeException e) {
      environment.close();
      throw e.getCause() instanceof RuntimeException cause && LmdbErrors.isCorruption(cause)
          ? LmdbErrors.onOpen(directory, cause)
          : e;
    }
  }

  /**
   * Notes that a store did not open: the next open walks the file, and after the second time the
   * directory is refused.
   */
  public static void noteStuck(Path directory, String why) {
    new Suspicion(directory).corrupted(new StoreDamagedException(why));
  }

  /**
   * Moves what is in a directory into one within it, so that a new store can begin there. Nothing
   * is deleted. A move that was interrupted is completed by another call.
   *
   * @param name of the directory within, which is made
   * @throws StoreLockedException when somebody uses the store
   * @throws StoreFailedException when it cannot be moved
   */
  public static void setAside(Path directory, String name) {
    try {
      DirectoryLock lock = DirectoryLock.take(directory);
      try {
        move(directory, Files.createDirectories(directory.resolve(name)));
      } finally {
        lock.close();
      }
    } catch (IOException e) {
      throw new StoreFailedException(directory + " cannot be set aside: " + e, e, false);
    }
  }

  private static void move(Path directory, Path aside) throws IOException {
    for (String file : FILES) {
      if (Files.exists(directory.resolve(file))) {
        Files.move(directory.resolve(file), aside.resolve(file), StandardCopyOption.ATOMIC_MOVE);
      }
    }
    try (FileChannel self = FileChannel.open(directory, StandardOpenOption.READ)) {
      self.force(true);
    }
  }

  /** Takes the mark of an I/O error from the directory, once a verification has found it sound. */
  public void clearSuspicion() {
    environment.clearSuspicion();
  }
}
