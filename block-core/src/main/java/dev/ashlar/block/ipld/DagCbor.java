package dev.ashlar.block.ipld;

import dev.ashlar.block.MalformedException;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Values as dag-cbor (DAG-CBOR specification; RFC 8949). */
final class DagCbor {

  private static final int TAG_CID = 42;
  private static final int FALSE = 0xf4;
  private static final int TRUE = 0xf5;
  private static final int NULL = 0xf6;
  private static final int DOUBLE = 0xfb;

  private DagCbor() {}

  static Node decode(ByteBuffer bytes) {
    CborReader reader = new CborReader(bytes);
    Node node = read(reader, 0, new ValueCount());
    if (reader.hasMore()) {
      throw new MalformedException("bytes follow the dag-cbor value", reader.position());
    }
    return node;
  }

  private static Node read(CborReader reader, int depth, ValueCount count) {
    count.add();
    if (depth > NodeCodec.DEPTH_MAX) {
      throw new MalformedException(
          "a dag-cbor value is nested more than " + NodeCodec.DEPTH_MAX + " levels deep",
          reader.position());
    }
    return switch (reader.next()) {
      case NUMBER -> new Node.Int(reader.number());
      case BYTES -> new Node.Bytes(reader.payload());
      case TEXT -> new Node.Text(reader.text());
      case LINK -> new Node.Link(reader.link());
      case SIMPLE -> simple(reader);
      case LIST -> {
        long size = reader.size();
        List<Node> values = new ArrayList<>();
        for (long i = 0; i < size; i++) {
          values.add(read(reader, depth + 1, count));
        }
        yield new Node.Sequence(values);
      }
      case MAP -> {
        long size = reader.size();
        Map<String, Node> values = new LinkedHashMap<>();
        for (long i = 0; i < size; i++) {
          String key = reader.key();
          if (values.put(key, read(reader, depth + 1, count)) != null) {
            throw new MalformedException(
                "key '" + key + "' is in a dag-cbor map twice", reader.position());
          }
        }
        yield new Node.Mapping(values);
      }
    };
  }

  private static Node simple(CborReader reader) {
    int first = reader.firstByte();
    return switch (first) {
      case FALSE -> new Node.Bool(false);
      case TRUE -> new Node.Bool(true);
      case NULL -> Node.NULL;
      case DOUBLE -> new Node.Decimal(Double.longBitsToDouble(reader.size()));
      default ->
          throw new MalformedException(
              "dag-cbor has no simple value " + Integer.toHexString(first), reader.position());
    };
  }

  static ByteBuffer encode(Node node) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    write(out, node, 0);
    return ByteBuffer.wrap(out.toByteArray());
  }

  private static void write(ByteArrayOutputStream out, Node node, int depth) {
    if (depth > NodeCodec.DEPTH_MAX) {
      throw new MalformedException(
          "a value is nested more than " + NodeCodec.DEPTH_MAX + " levels deep");
    }
    if (node instanceof Node.Null) {
      out.write(NULL);
    } else if (node instanceof Node.Bool bool) {
      out.write(bool.value() ? TRUE : FALSE);
    } else if (node instanceof Node.Int number) {
      writeNumber(out, number.value());
    } else if (node instanceof Node.Decimal number) {
      // Always in full length (DAG-CBOR, "Strictness").
      out.write(DOUBLE);
      out.writeBytes(ByteBuffer.allocate(Double.BYTES).putDouble(number.value()).array());
    } else if (node instanceof Node.Text text) {
      writeText(out, text.value().getBytes(StandardCharsets.UTF_8));
    } else if (node instanceof Node.Bytes bytes) {
      head(out, 2, bytes.value().remaining());
      byte[] copy = new byte[bytes.value().remaining()];
      bytes.value().duplicate().get(copy);
      out.writeBytes(copy);
    } else if (node instanceof Node.Link link) {
      byte[] cid = link.cid().toBytes();
      head(out, 6, TAG_CID);
      head(out, 2, cid.length + 1L);
      out.write(0);
      out.writeBytes(cid);
    } else if (node instanceof Node.Sequence list) {
      head(out, 4, list.values().size());
      list.values().forEach(value -> write(out, value, depth + 1));
    } else if (node instanceof Node.Mapping map) {
      // Shorter keys come first, then by their bytes.
      TreeMap<byte[], Node> sorted =
          new TreeMap<>(
              (a, b) -> a.length != b.length ? a.length - b.length : Arrays.compareUnsigned(a, b));
      map.values().forEach((key, value) -> sorted.put(key.getBytes(StandardCharsets.UTF_8), value));
      head(out, 5, sorted.size());
      sorted.forEach(
          (key, value) -> {
            writeText(out, key);
            write(out, value, depth + 1);
          });
    }
  }

  private static void writeText(ByteArrayOutputStream out, byte[] text) {
    head(out, 3, text.length);
    out.writeBytes(text);
  }

  private static void writeNumber(ByteArrayOutputStream out, BigInteger value) {
    boolean isNegative = value.signum() < 0;
    BigInteger argument = isNegative ? value.negate().subtract(BigInteger.ONE) : value;
    if (argument.bitLength() > Long.SIZE) {
      throw new MalformedException("dag-cbor has no whole number of more than 64 bits");
    }
    head(out, isNegative ? 1 : 0, argument.longValue());
  }

  /** The head of an item in as few bytes as it takes; the argument is unsigned. */
  private static void head(ByteArrayOutputStream out, int major, long argument) {
    int bytes = 0;
    if (Long.compareUnsigned(argument, 24) >= 0) {
      bytes = 1;
      while (bytes < Long.BYTES && argument >>> (Byte.SIZE * bytes) != 0) {
        bytes *= 2;
      }
    }
    int info = bytes == 0 ? (int) argument : 24 + Integer.numberOfTrailingZeros(bytes);
    out.write(major << 5 | info);
    for (int i = bytes - 1; i >= 0; i--) {
      out.write((int) (argument >>> (Byte.SIZE * i)));
    }
  }
}
