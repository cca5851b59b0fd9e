package dev.ashlar.store.lmdb;

import dev.ashlar.block.BlockException;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.StoreFormatException;
import java.nio.file.Path;
import org.lmdbjava.Cursor;
import org.lmdbjava.Dbi;
import org.lmdbjava.Env;
import org.lmdbjava.LmdbException;
import org.lmdbjava.LmdbNativeException;

/** What LMDB's errors mean here: want of space, or a failure of the storage. */
final class LmdbErrors {

  private static final int EIO = 5;
  private static final int ENOSPC = 28;
  private static final int EDQUOT = 122;

  private LmdbErrors() {}

  static boolean isLmdb(RuntimeException e) {
    return e instanceof LmdbException;
  }

  static boolean isInputOutput(RuntimeException e) {
    return e instanceof LmdbNativeException error && error.getResultCode() == EIO;
  }

  /** Whether LMDB has come upon a page that cannot be. */
  static boolean isCorruption(RuntimeException e) {
    return e instanceof Env.FileInvalidException
        || e instanceof Cursor.FullException
        || e instanceof Dbi.IncompatibleException
        || e instanceof LmdbNativeException.PageCorruptedException
        || e instanceof LmdbNativeException.PageFullException
        || e instanceof LmdbNativeException.PageNotFoundException
        || e instanceof LmdbNativeException.PanicException;
  }

  static RuntimeException translate(RuntimeException e, String doing, boolean outcomeUnknown) {
    if (e instanceof BlockException || !isLmdb(e)) {
      return e;
    }
    if (e instanceof Env.MapFullException) {
      return new NoSpaceException("the map of the store is full", e);
    }
    if (e instanceof LmdbNativeException error
        && (error.getResultCode() == ENOSPC || error.getResultCode() == EDQUOT)) {
      return new NoSpaceException("the file system is full", e);
    }
    return new StoreFailedException(
        "the storage failed while " + doing + ": " + e.getMessage(), e, outcomeUnknown);
  }

  static RuntimeException onOpen(Path directory, RuntimeException e) {
    RuntimeException translated = translate(e, "opening " + directory, false);
    if (isCorruption(e)) {
      return new StoreDamagedException(
          directory
              + " is damaged or not LMDB's: set it aside and join anew ("
              + e.getMessage()
              + ")");
    }
    return e instanceof Env.VersionMismatchException
        ? new StoreFormatException(directory + " is of another version of LMDB")
        : translated;
  }
}
