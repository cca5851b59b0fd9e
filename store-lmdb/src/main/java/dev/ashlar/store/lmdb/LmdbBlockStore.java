package dev.ashlar.store.lmdb;

import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.StoreFormatException;
import dev.ashlar.block.StoreLockedException;
import dev.ashlar.block.engine.EngineBlockStore;
import dev.ashlar.block.engine.StorageEngine;
import java.nio.file.Path;

/**
 * A block store in a directory. When a write returns, it is on the disk: it survives the end of the
 * process and a power cut. Opening after either is a matter of milliseconds.
 *
 * <p>One store at a time uses a directory. The store is safe for any number of threads and starts
 * none of its own.
 */
public final class LmdbBlockStore extends EngineBlockStore {

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
    LmdbEnvironment environment = LmdbEnvironment.open(directory, options);
    try {
      StorageEngine engine = StorageEngine.open(environment, options.engine());
      return new LmdbBlockStore(environment, engine, options);
    } catch (RuntimeException e) {
      environment.close();
      throw e;
    }
  }

  /** Takes the mark of an I/O error from the directory, once a verification has found it sound. */
  public void clearSuspicion() {
    environment.clearSuspicion();
  }
}
