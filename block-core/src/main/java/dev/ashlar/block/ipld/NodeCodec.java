package dev.ashlar.block.ipld;

import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import java.nio.ByteBuffer;

/** Turns blocks of the codecs that Ashlar understands into values of the data model and back. */
public final class NodeCodec {

  /** No value is nested more deeply. */
  static final int DEPTH_MAX = 1024;

  private NodeCodec() {}

  /** How many values a block may have that is to be decoded. */
  static final int VALUES_MAX = 250_000;

  /** Roughly what one takes, with the name that it has in a map. */
  private static final int VALUE_BYTES = 128;

  /** What a block of so many bytes takes in memory at most while it is decoded, in bytes. */
  public static long memoryOf(int blockBytes) {
    return (long) VALUE_BYTES * Math.min(blockBytes, VALUES_MAX);
  }

  /** Whether a codec is understood. */
  public static boolean isKnown(long codec) {
    return codec == Multicodec.RAW
        || codec == Multicodec.DAG_PB
        || codec == Multicodec.DAG_CBOR
        || codec == Multicodec.CBOR
        || codec == Multicodec.DAG_JSON
        || codec == Multicodec.JSON;
  }

  /**
   * The value that a block's bytes are.
   *
   * @throws MalformedException when they are none, or of more values than are taken, or the codec
   *     is not understood
   */
  public static Node decode(long codec, ByteBuffer bytes) {
    if (codec == Multicodec.RAW) {
      return new Node.Bytes(bytes);
    }
    if (codec == Multicodec.DAG_PB) {
      return DagPbNode.of(PbNode.decode(bytes));
    }
    if (codec == Multicodec.DAG_CBOR || codec == Multicodec.CBOR) {
      return DagCbor.decode(bytes);
    }
    if (codec == Multicodec.DAG_JSON || codec == Multicodec.JSON) {
      return DagJsonNode.decode(bytes);
    }
    throw notKnown(codec);
  }

  /**
   * The canonical bytes of a value.
   *
   * @throws MalformedException when the codec has no form for it, or is not understood
   */
  public static ByteBuffer encode(long codec, Node node) {
    if (codec == Multicodec.RAW) {
      if (node instanceof Node.Bytes bytes) {
        return bytes.value();
      }
      throw new MalformedException("codec raw takes bytes and nothing else");
    }
    if (codec == Multicodec.DAG_PB) {
      return DagPbNode.toPb(node).encode();
    }
    if (codec == Multicodec.DAG_CBOR || codec == Multicodec.CBOR) {
      return DagCbor.encode(node);
    }
    if (codec == Multicodec.DAG_JSON || codec == Multicodec.JSON) {
      return DagJsonNode.encode(node);
    }
    throw notKnown(codec);
  }

  private static MalformedException notKnown(long codec) {
    return new MalformedException(
        "values of codec " + Multicodec.nameOf(codec) + " are not understood");
  }
}
