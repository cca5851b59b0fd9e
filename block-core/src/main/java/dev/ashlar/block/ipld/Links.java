package dev.ashlar.block.ipld;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The links that a block holds, in order, read under the codec of its CID: dag-pb, dag-cbor and
 * dag-json are understood; raw, JSON and CBOR have none. Other codecs are refused by name.
 */
public final class Links {

  /** The shortest digest that is taken has 20 bytes, and a CID four more. */
  private static final int LINK_BYTES_MIN = 24;

  private Links() {}

  /** Whether the links of blocks of a codec are known. */
  public static boolean areKnown(long codec) {
    return codec == Multicodec.RAW
        || codec == Multicodec.DAG_PB
        || codec == Multicodec.DAG_CBOR
        || codec == Multicodec.DAG_JSON
        || codec == Multicodec.JSON
        || codec == Multicodec.CBOR;
  }

  /**
   * The CIDs that the block links to, repeated ones too.
   *
   * @throws MalformedException when the bytes are not of the codec, or of one that is not
   *     understood
   */
  public static List<Cid> of(Block block) {
    long codec = block.cid().codec();
    if (codec == Multicodec.DAG_PB) {
      return PbNode.decode(block.bytes()).links().stream().map(PbNode.PbLink::cid).toList();
    }
    if (codec == Multicodec.DAG_CBOR) {
      return ofCbor(block.bytes());
    }
    if (codec == Multicodec.DAG_JSON) {
      return DagJson.links(block);
    }
    if (!areKnown(codec)) {
      throw new MalformedException(
          "links of codec " + Multicodec.nameOf(codec) + " are not understood");
    }
    return List.of();
  }

  /**
   * A link takes some memory, and those to inline blocks take few bytes: a block is not to make
   * more of them than it could of any others.
   */
  static void requireFew(int links, int bytes) {
    if (links > 64 + bytes / LINK_BYTES_MIN) {
      throw new MalformedException("a block of " + bytes + " bytes has too many links");
    }
  }

  private static List<Cid> ofCbor(ByteBuffer bytes) {
    List<Cid> links = new ArrayList<>();
    CborReader reader = new CborReader(bytes);
    long left = 1;
    while (left > 0) {
      left--;
      switch (reader.next()) {
        case LIST -> left += reader.size();
        case MAP -> left += 2 * reader.size();
        case LINK -> {
          links.add(reader.link());
          requireFew(links.size(), bytes.remaining());
        }
        default -> {}
      }
    }
    if (reader.hasMore()) {
      throw new MalformedException("bytes follow the dag-cbor value", reader.position());
    }
    return links;
  }
}
