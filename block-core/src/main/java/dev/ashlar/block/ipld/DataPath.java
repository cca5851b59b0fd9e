package dev.ashlar.block.ipld;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import java.util.List;

/** Where a path leads within one block of the data model (IPLD Data Model, "Pathing"). */
public sealed interface DataPath {

  /**
   * To a link: the rest of the path is in another block.
   *
   * @param cid of that block
   * @param used how many segments lead there
   */
  record ToLink(Cid cid, int used) implements DataPath {}

  /** To a value in the block itself. */
  record ToValue() implements DataPath {}

  /**
   * Nowhere.
   *
   * @param at the segment that is not there
   */
  record Missing(int at) implements DataPath {}

  /**
   * Goes along a path through a block, as far as the first link on it. A dag-pb block is one for
   * the file system, not for this.
   *
   * @throws MalformedException when the bytes are not of the codec
   */
  static DataPath find(Block block, List<String> segments) {
    long codec = block.cid().codec();
    if (codec == Multicodec.DAG_CBOR) {
      return findInCbor(block, segments);
    }
    if (codec == Multicodec.DAG_JSON) {
      return DagJson.find(block, segments);
    }
    return segments.isEmpty() ? new ToValue() : new Missing(0);
  }

  private static DataPath findInCbor(Block block, List<String> segments) {
    CborReader reader = new CborReader(block.bytes());
    int at = 0;
    while (true) {
      CborReader.Kind kind = reader.next();
      if (kind == CborReader.Kind.LINK) {
        return new ToLink(reader.link(), at);
      }
      if (at == segments.size()) {
        return new ToValue();
      }
      String segment = segments.get(at);
      boolean found =
          switch (kind) {
            case MAP -> toKey(reader, segment);
            case LIST -> toElement(reader, segment);
            default -> false;
          };
      if (!found) {
        return new Missing(at);
      }
      at++;
    }
  }

  private static boolean toKey(CborReader reader, String key) {
    long pairs = reader.size();
    for (long i = 0; i < pairs; i++) {
      if (reader.key().equals(key)) {
        return true;
      }
      reader.skip(1);
    }
    return false;
  }

  private static boolean toElement(CborReader reader, String segment) {
    int index = index(segment);
    if (index < 0 || index >= reader.size()) {
      return false;
    }
    reader.skip(index);
    return true;
  }

  /** The index that a segment names, -1 where it names none: digits without a leading zero. */
  static int index(String segment) {
    boolean isNumber = segment.length() < 10 && segment.matches("0|[1-9][0-9]*");
    return isNumber ? Integer.parseInt(segment) : -1;
  }
}
