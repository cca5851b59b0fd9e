package dev.ashlar.block;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Reads the vector files: comma-separated, with lines of comment that begin with #. */
final class Vectors {

  private Vectors() {}

  static List<String[]> rows(String file) throws IOException {
    try (InputStream in = Vectors.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IOException("no vectors " + file);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split(",", -1))
          .toList();
    }
  }

  static byte[] hex(String text) {
    return Multibase.BASE16.decodeBare(text);
  }
}
