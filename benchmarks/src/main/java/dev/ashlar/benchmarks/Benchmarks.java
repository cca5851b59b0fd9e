package dev.ashlar.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Runs the measurements: {@code layouts [DIRECTORY]}, {@code http [DIRECTORY]}, {@code cluster
 * [DIRECTORY]} (from this module's directory, with the server packaged), {@code jmh [JMH
 * ARGUMENTS]}.
 */
public final class Benchmarks {

  private Benchmarks() {}

  /** Begins here. */
  public static void main(String[] arguments) throws Exception {
    String which = arguments.length == 0 ? "" : arguments[0];
    String[] rest =
        arguments.length == 0 ? arguments : Arrays.copyOfRange(arguments, 1, arguments.length);
    switch (which) {
      case "layouts" -> Layouts.run(directory(rest));
      case "http" -> HttpLoad.run(directory(rest));
      case "cluster" -> ClusterLoad.run(directory(rest));
      case "jmh" -> org.openjdk.jmh.Main.main(rest);
      default -> {
        System.err.println(
            "usage: layouts [DIRECTORY] | http [DIRECTORY] | cluster [DIRECTORY] | jmh [JMH ARGUMENTS]");
        System.exit(2);
      }
    }
  }

  private static Path directory(String[] rest) throws java.io.IOException {
    return Files.createTempDirectory(
        Files.createDirectories(Path.of(rest.length > 0 ? rest[0] : "target")), "benchmark");
  }
}
