package dev.ashlar.block.ipld;

import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Reads a dag-cbor value item by item, without building anything of it (DAG-CBOR specification; RFC
 * 8949 §3). Nothing of it is copied but keys.
 */
final class CborReader {

  /** The major types of RFC 8949 §3.1, as far as dag-cbor has them. */
  enum Kind {
    NUMBER,
    BYTES,
    TEXT,
    LIST,
    MAP,
    LINK,
    SIMPLE
  }

  private static final int TAG_CID = 42;

  private final ByteBuffer source;
  private Kind kind = Kind.SIMPLE;
  private long size;
  private int firstByte;
  private ByteBuffer payload = ByteBuffer.allocate(0);
  private Optional<Cid> link = Optional.empty();

  CborReader(ByteBuffer value) {
    this.source = value.slice();
  }

  boolean hasMore() {
    return source.hasRemaining();
  }

  int position() {
    return source.position();
  }

  /** Reads the head of an item; of a list or map its elements are the next items. */
  Kind next() {
    int at = source.position();
    int first = take(1).get() & 0xff;
    long argument = argument(first & 0x1f, at);
    firstByte = first;
    size = argument;
    switch (first >>> 5) {
      case 0, 1 -> kind = Kind.NUMBER;
      case 2 -> {
        kind = Kind.BYTES;
        payload = take(argument);
      }
      case 3 -> {
        kind = Kind.TEXT;
        payload = take(argument);
      }
      case 4 -> kind = Kind.LIST;
      case 5 -> kind = Kind.MAP;
      case 6 -> {
        if (argument != TAG_CID) {
          throw new MalformedException("dag-cbor knows tag 42 alone, not " + argument, at);
        }
        kind = Kind.LINK;
        link = Optional.of(readLink());
      }
      default -> kind = Kind.SIMPLE;
    }
    boolean holdsItems = kind == Kind.LIST || kind == Kind.MAP;
    if (holdsItems && (size < 0 || size > source.remaining())) {
      throw new MalformedException("a dag-cbor list or map is cut off", at);
    }
    return kind;
  }

  /** How many elements the list or map has whose head was read last; of a map, pairs. */
  long size() {
    return size;
  }

  /** The byte that the item began with that was read last. */
  int firstByte() {
    return firstByte;
  }

  /** The byte string that was read last: a part of the value itself. */
  ByteBuffer payload() {
    return payload.slice();
  }

  /** The text that was read last. */
  String text() {
    return utf8(payload.slice());
  }

  /** The whole number that was read last. */
  BigInteger number() {
    BigInteger argument = new BigInteger(Long.toUnsignedString(size));
    return firstByte >>> 5 == 0 ? argument : argument.negate().subtract(BigInteger.ONE);
  }

  /** The link that was read last. */
  Cid link() {
    return link.orElseThrow();
  }

  /** Reads a key of a map. */
  String key() {
    int at = source.position();
    int first = take(1).get() & 0xff;
    if (first >>> 5 != 3) {
      throw new MalformedException("a key of a dag-cbor map is text", at);
    }
    return utf8(take(argument(first & 0x1f, at)));
  }

  /** Passes over whole items. */
  void skip(long items) {
    long left = items;
    while (left > 0) {
      left--;
      switch (next()) {
        case LIST -> left = Math.addExact(left, size);
        case MAP -> left = Math.addExact(left, 2 * size);
        default -> {}
      }
    }
  }

  private Cid readLink() {
    int at = source.position();
    int first = take(1).get() & 0xff;
    if (first >>> 5 != 2) {
      throw new MalformedException("a dag-cbor link is a byte string", at);
    }
    ByteBuffer bytes = take(argument(first & 0x1f, at));
    if (!bytes.hasRemaining() || bytes.get() != 0) {
      throw new MalformedException("a dag-cbor link begins with a zero byte", at);
    }
    Cid cid = Cid.read(bytes);
    if (bytes.hasRemaining()) {
      throw new MalformedException("bytes follow the CID of a dag-cbor link", at);
    }
    return cid;
  }

  private long argument(int info, int at) {
    if (info < 24) {
      return info;
    }
    if (info > 27) {
      throw new MalformedException("a dag-cbor length is indefinite or reserved", at);
    }
    ByteBuffer bytes = take(1L << (info - 24));
    long argument = 0;
    while (bytes.hasRemaining()) {
      argument = (argument << 8) | (bytes.get() & 0xff);
    }
    return argument;
  }

  private String utf8(ByteBuffer bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new MalformedException("text of dag-cbor is not UTF-8", source.position());
    }
  }

  private ByteBuffer take(long length) {
    if (length < 0 || length > source.remaining()) {
      throw new MalformedException("the block is cut off", source.position());
    }
    ByteBuffer taken = source.slice(source.position(), (int) length);
    source.position(source.position() + (int) length);
    return taken;
  }
}
