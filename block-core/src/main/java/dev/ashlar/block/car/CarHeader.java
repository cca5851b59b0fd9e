package dev.ashlar.block.car;

import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The header of a CARv1: a DAG-CBOR map of version and roots (CARv1 specification, "Header").
 *
 * @param version 1, or 2 for the pragma of a CARv2
 * @param roots the CIDs that the file is about; may be empty; they need not be in the file
 */
record CarHeader(long version, List<Cid> roots) {

  private static final int TAG_CID = 42;

  CarHeader {
    roots = List.copyOf(roots);
  }

  /** DAG-CBOR, keys in canonical order: the shorter one first. */
  byte[] encode() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    writeHead(out, Cbor.MAP, 2);
    writeText(out, "roots");
    writeHead(out, Cbor.ARRAY, roots.size());
    for (Cid root : roots) {
      byte[] bytes = root.toBytes();
      writeHead(out, Cbor.TAG, TAG_CID);
      writeHead(out, Cbor.BYTES, bytes.length + 1);
      out.write(0);
      out.writeBytes(bytes);
    }
    writeText(out, "version");
    writeHead(out, Cbor.UNSIGNED, version);
    return out.toByteArray();
  }

  /**
   * Reads a header that fills the buffer.
   *
   * @throws MalformedException with an offset into the buffer
   */
  static CarHeader decode(ByteBuffer source) {
    long keys = readHead(source, Cbor.MAP, "the header is not a map");
    long version = -1;
    List<Cid> roots = null;
    for (long i = 0; i < keys; i++) {
      int keyAt = source.position();
      String key = readText(source);
      if (key.equals("version") && version < 0) {
        version = readHead(source, Cbor.UNSIGNED, "the version is not a number");
      } else if (key.equals("roots") && roots == null) {
        roots = readRoots(source);
      } else {
        throw new MalformedException("the header has an unknown or repeated key", keyAt);
      }
    }
    if (source.hasRemaining()) {
      throw new MalformedException("bytes follow the header's map", source.position());
    }
    if (version < 0 || (version == 1 && roots == null)) {
      throw new MalformedException("the header lacks its version or its roots", 0);
    }
    return new CarHeader(version, roots == null ? List.of() : roots);
  }

  private static List<Cid> readRoots(ByteBuffer source) {
    long count = readHead(source, Cbor.ARRAY, "the roots are not an array");
    List<Cid> roots = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      int at = source.position();
      if (readHead(source, Cbor.TAG, "a root is not a CID") != TAG_CID) {
        throw new MalformedException("a root is not a CID", at);
      }
      long length = readHead(source, Cbor.BYTES, "a root is not a CID");
      requireRemaining(source, length);
      ByteBuffer bytes = source.slice(source.position(), (int) length);
      source.position(source.position() + (int) length);
      if (length == 0 || bytes.get() != 0) {
        throw new MalformedException("a root does not begin with the identity multibase", at);
      }
      try {
        roots.add(Cid.read(bytes));
      } catch (MalformedException e) {
        throw new MalformedException("a root is not a CID: " + e.getMessage(), at);
      }
      if (bytes.hasRemaining()) {
        throw new MalformedException("bytes follow a root's CID", at);
      }
    }
    return roots;
  }

  private static String readText(ByteBuffer source) {
    long length = readHead(source, Cbor.TEXT, "a key is not text");
    requireRemaining(source, length);
    byte[] text = new byte[(int) length];
    source.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }

  /** The argument of the next item's head, which must be of the kind and in shortest form. */
  private static long readHead(ByteBuffer source, Cbor kind, String otherwise) {
    int at = source.position();
    requireRemaining(source, 1);
    int first = source.get() & 0xff;
    if (first >>> 5 != kind.majorType) {
      throw new MalformedException(otherwise, at);
    }
    int info = first & 0x1f;
    if (info < 24) {
      return info;
    }
    if (info > 27) {
      throw new MalformedException("a length is indefinite or reserved", at);
    }
    int argumentBytes = 1 << (info - 24);
    requireRemaining(source, argumentBytes);
    long argument = 0;
    for (int i = 0; i < argumentBytes; i++) {
      argument = (argument << 8) | (source.get() & 0xff);
    }
    if (argument < 0 || argumentBytes != argumentBytes(argument)) {
      throw new MalformedException("a length is not in its shortest form, or too large", at);
    }
    return argument;
  }

  private static void requireRemaining(ByteBuffer source, long length) {
    if (length > source.remaining()) {
      throw new MalformedException("the header is cut off", source.limit());
    }
  }

  private static void writeText(ByteArrayOutputStream out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    writeHead(out, Cbor.TEXT, bytes.length);
    out.writeBytes(bytes);
  }

  private static void writeHead(ByteArrayOutputStream out, Cbor kind, long argument) {
    int argumentBytes = argumentBytes(argument);
    if (argumentBytes == 0) {
      out.write(kind.majorType << 5 | (int) argument);
      return;
    }
    out.write(kind.majorType << 5 | 24 + Integer.numberOfTrailingZeros(argumentBytes));
    for (int shift = 8 * (argumentBytes - 1); shift >= 0; shift -= 8) {
      out.write((int) (argument >>> shift));
    }
  }

  /** How many bytes an argument takes behind the head's first byte: 0, 1, 2, 4 or 8. */
  private static int argumentBytes(long argument) {
    return argument < 24
        ? 0
        : argument < 1 << 8 ? 1 : argument < 1 << 16 ? 2 : argument < 1L << 32 ? 4 : 8;
  }

  /** The major types that occur in a header (RFC 8949 §3.1). */
  private enum Cbor {
    UNSIGNED(0),
    BYTES(2),
    TEXT(3),
    ARRAY(4),
    MAP(5),
    TAG(6);

    final int majorType;

    Cbor(int majorType) {
      this.majorType = majorType;
    }
  }
}
