package dev.ashlar.server.client;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** A directory with all that is in it. */
public final class DirectoryTree {

  private DirectoryTree() {}

  /** Deletes it. */
  public static void delete(Path directory) throws IOException {
    delete(directory, file -> true);
  }

  /** Deletes those files and directories in it, itself among them, that this names. */
  public static void delete(Path directory, Predicate<Path> which) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(which).sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
