package dev.ashlar.store.lmdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.lmdbjava.Meta;

/**
 * LMDB's own code, which lmdbjava writes to a temporary file to load it. It deletes that file when
 * the JVM ends in an orderly way; a process that is killed would leave one behind each time. So it
 * is written to a directory of its own, and deleted as soon as it is loaded, where the operating
 * system allows that.
 */
final class NativeLibrary {

  private static final String EXTRACT_DIRECTORY = "lmdbjava.extract.dir";
  private static final String LIBRARY = "lmdbjava.native.lib";

  private static boolean loaded;

  private NativeLibrary() {}

  /** Loads it, once in a process. Where somebody has said where it is or goes, that is heeded. */
  static synchronized void load() throws IOException {
    boolean isSaid =
        System.getProperty(EXTRACT_DIRECTORY) != null || System.getProperty(LIBRARY) != null;
    if (loaded || isSaid) {
      return;
    }
    Path directory = Files.createTempDirectory("ashlar-native-");
    System.setProperty(EXTRACT_DIRECTORY, directory.toString());
    try {
      Meta.version();
      loaded = true;
    } finally {
      System.clearProperty(EXTRACT_DIRECTORY);
      delete(directory);
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(directory);
    } catch (java.nio.file.FileSystemException e) {
      // It cannot be deleted while it is in use here: lmdbjava does it at the end.
      directory.toFile().deleteOnExit();
    }
  }
}
