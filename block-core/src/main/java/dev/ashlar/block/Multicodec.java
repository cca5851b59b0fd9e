package dev.ashlar.block;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Names and codes of the multicodec table that may stand in a CID: content types (tags {@code ipld}
 * and {@code serialization}) and hash functions (tag {@code multihash}). The table is data beside
 * this class. A code that has no name here is still stored and served as bytes.
 *
 * @param code the code, 0 to 2<sup>63</sup>-1
 * @param name the name in the table, such as {@code dag-pb}
 * @param tag what kind of thing the code names
 */
public record Multicodec(long code, String name, String tag) {

  /** Bytes without structure. */
  public static final long RAW = 0x55;

  /** MerkleDAG protobuf; the only codec of CIDv0. */
  public static final long DAG_PB = 0x70;

  /** MerkleDAG CBOR. */
  public static final long DAG_CBOR = 0x71;

  /** CBOR, in which nothing is a link. */
  public static final long CBOR = 0x51;

  /** JSON, in which nothing is a link. */
  public static final long JSON = 0x0200;

  /** MerkleDAG JSON. */
  public static final long DAG_JSON = 0x0129;

  private static final Map<Long, Multicodec> BY_CODE = new HashMap<>();
  private static final Map<String, Multicodec> BY_NAME = new HashMap<>();

  static {
    load();
  }

  /** The entry with this code. */
  public static Optional<Multicodec> withCode(long code) {
    return Optional.ofNullable(BY_CODE.get(code));
  }

  /** The entry with this name. */
  public static Optional<Multicodec> withName(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }

  /** The name of a code, or the code in hexadecimal where it has none. */
  public static String nameOf(long code) {
    Multicodec known = BY_CODE.get(code);
    return known == null ? "0x" + Long.toHexString(code) : known.name;
  }

  /**
   * The code that a user named: a name of the table, or a number in decimal or with {@code 0x}.
   *
   * @throws MalformedException when it is neither
   */
  public static long parse(String nameOrNumber) {
    Multicodec known = BY_NAME.get(nameOrNumber);
    if (known != null) {
      return known.code;
    }
    try {
      long code = Long.decode(nameOrNumber);
      if (code >= 0) {
        return code;
      }
    } catch (NumberFormatException e) {
      // Said below: it is neither a name nor a number.
    }
    throw new MalformedException("no codec is called \"" + nameOrNumber + "\"");
  }

  private static void load() {
    try (InputStream table = Multicodec.class.getResourceAsStream("multicodec.csv")) {
      if (table == null) {
        throw new IllegalStateException("multicodec.csv is missing from the jar");
      }
      BufferedReader lines =
          new BufferedReader(new InputStreamReader(table, StandardCharsets.UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.startsWith("#") && !line.isBlank()) {
          String[] fields = line.split(",", -1);
          add(new Multicodec(Long.decode(fields[2]), fields[0], fields[1]));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    // The table has one row for each digest length of these; the rows follow a rule.
    addLengths("blake2b-", 0xb200, 64);
    addLengths("blake2s-", 0xb240, 32);
    addLengths("skein256-", 0xb300, 32);
    addLengths("skein512-", 0xb320, 64);
    addLengths("skein1024-", 0xb360, 128);
  }

  private static void addLengths(String prefix, long codeBeforeFirst, int bytesMax) {
    for (int bytes = 1; bytes <= bytesMax; bytes++) {
      add(new Multicodec(codeBeforeFirst + bytes, prefix + 8 * bytes, "multihash"));
    }
  }

  private static void add(Multicodec codec) {
    BY_CODE.put(codec.code, codec);
    BY_NAME.put(codec.name, codec);
  }
}
