package dev.ashlar.block;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The links that a block holds, in order, read under the codec of its CID: raw has none, dag-pb and
 * dag-cbor are understood. Other codecs are refused by name.
 */
public final class Links {

  private static final int DEPTH_MAX = 128;
  private static final int CBOR_TAG_CID = 42;

  private Links() {}

  /**
   * The CIDs that the block links to, repeated ones too.
   *
   * @throws MalformedException when the bytes are not of the codec, or of one that is not
   *     understood
   */
  public static List<Cid> of(Block block) {
    List<Cid> links = new ArrayList<>();
    long codec = block.cid().codec();
    if (codec == Multicodec.DAG_PB) {
      readPb(block.bytes(), links);
    } else if (codec == Multicodec.DAG_CBOR) {
      ByteBuffer bytes = block.bytes();
      readCbor(bytes, links, 0);
      if (bytes.hasRemaining()) {
        throw new MalformedException("bytes follow the dag-cbor value", bytes.position());
      }
    } else if (codec != Multicodec.RAW) {
      throw new MalformedException(
          "links of codec " + Multicodec.nameOf(codec) + " are not understood", 0);
    }
    return links;
  }

  /** PBNode: field 2 is a PBLink, whose field 1 is the CID (DAG-PB specification). */
  private static void readPb(ByteBuffer node, List<Cid> links) {
    while (node.hasRemaining()) {
      long tag = UnsignedVarint.read(node);
      ByteBuffer field = pbField(node, tag);
      if (tag == ((2 << 3) | 2)) {
        while (field.hasRemaining()) {
          long linkTag = UnsignedVarint.read(field);
          ByteBuffer value = pbField(field, linkTag);
          if (linkTag == ((1 << 3) | 2)) {
            links.add(Cid.read(value));
          }
        }
      }
    }
  }

  /** A field's bytes; of a number, none. */
  private static ByteBuffer pbField(ByteBuffer source, long tag) {
    int wireType = (int) (tag & 7);
    if (wireType == 0) {
      UnsignedVarint.read(source);
      return ByteBuffer.allocate(0);
    }
    if (wireType != 2) {
      throw new MalformedException("a dag-pb field of wire type " + wireType, source.position());
    }
    return take(source, UnsignedVarint.read(source));
  }

  private static void readCbor(ByteBuffer source, List<Cid> links, int depth) {
    if (depth > DEPTH_MAX) {
      throw new MalformedException(
          "dag-cbor is nested deeper than " + DEPTH_MAX, source.position());
    }
    int at = source.position();
    int first = take(source, 1).get() & 0xff;
    long argument = cborArgument(source, first & 0x1f, at);
    switch (first >>> 5) {
      case 0, 1, 7 -> {}
      case 2, 3 -> take(source, argument);
      case 4 -> {
        for (long i = 0; i < argument; i++) {
          readCbor(source, links, depth + 1);
        }
      }
      case 5 -> {
        for (long i = 0; i < argument; i++) {
          readCbor(source, links, depth + 1);
          readCbor(source, links, depth + 1);
        }
      }
      default -> {
        if (argument != CBOR_TAG_CID) {
          throw new MalformedException("dag-cbor knows tag 42 alone, not " + argument, at);
        }
        readCborLink(source, links);
      }
    }
  }

  private static void readCborLink(ByteBuffer source, List<Cid> links) {
    int at = source.position();
    int first = take(source, 1).get() & 0xff;
    if (first >>> 5 != 2) {
      throw new MalformedException("a dag-cbor link is a byte string", at);
    }
    ByteBuffer bytes = take(source, cborArgument(source, first & 0x1f, at));
    if (!bytes.hasRemaining() || bytes.get() != 0) {
      throw new MalformedException("a dag-cbor link begins with a zero byte", at);
    }
    links.add(Cid.read(bytes));
  }

  private static long cborArgument(ByteBuffer source, int info, int at) {
    if (info < 24) {
      return info;
    }
    if (info > 27) {
      throw new MalformedException("a dag-cbor length is indefinite or reserved", at);
    }
    ByteBuffer bytes = take(source, 1L << (info - 24));
    long argument = 0;
    while (bytes.hasRemaining()) {
      argument = (argument << 8) | (bytes.get() & 0xff);
    }
    return argument;
  }

  private static ByteBuffer take(ByteBuffer source, long length) {
    if (length < 0 || length > source.remaining()) {
      throw new MalformedException("the block is cut off", source.position());
    }
    ByteBuffer taken = source.slice(source.position(), (int) length);
    source.position(source.position() + (int) length);
    return taken;
  }
}
