package dev.ashlar.block.ipld;

import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A dag-pb node (DAG-PB specification).
 *
 * @param data what it holds, a part of the block's bytes; empty where there is none
 * @param links in their order
 */
public record PbNode(Optional<ByteBuffer> data, List<PbLink> links) {

  /**
   * A link.
   *
   * @param cid where it leads
   * @param name empty where it has none
   * @param size of all below it as whoever made it says, 0 where nobody does
   */
  public record PbLink(Cid cid, String name, long size) {}

  /**
   * Reads a node.
   *
   * @throws MalformedException when the bytes are not one
   */
  public static PbNode decode(ByteBuffer bytes) {
    Optional<ByteBuffer> data = Optional.empty();
    List<PbLink> links = new ArrayList<>();
    Protobuf node = new Protobuf(bytes);
    while (node.next()) {
      switch (node.field()) {
        case 1 -> data = Optional.of(node.bytes());
        case 2 -> {
          links.add(link(node.bytes()));
          Links.requireFew(links.size(), bytes.remaining());
        }
        default -> throw new MalformedException("a dag-pb node has no field " + node.field());
      }
    }
    return new PbNode(data, links);
  }

  /** The node's canonical bytes: the links come first, then the data (DAG-PB, "Serial Format"). */
  public ByteBuffer encode() {
    ProtobufWriter node = new ProtobufWriter();
    for (PbLink link : links) {
      ByteBuffer encoded =
          new ProtobufWriter()
              .bytes(1, ByteBuffer.wrap(link.cid().toBytes()))
              .bytes(2, StandardCharsets.UTF_8.encode(link.name()))
              .number(3, link.size())
              .toBytes();
      node.bytes(2, encoded);
    }
    data.ifPresent(bytes -> node.bytes(1, bytes));
    return node.toBytes();
  }

  /** The first link of a name. */
  public Optional<Cid> linkNamed(String name) {
    return links.stream().filter(link -> link.name().equals(name)).map(PbLink::cid).findFirst();
  }

  private static PbLink link(ByteBuffer bytes) {
    Optional<Cid> cid = Optional.empty();
    String name = "";
    long size = 0;
    Protobuf link = new Protobuf(bytes);
    while (link.next()) {
      switch (link.field()) {
        case 1 -> cid = Optional.of(cid(link.bytes()));
        case 2 -> name = StandardCharsets.UTF_8.decode(link.bytes()).toString();
        case 3 -> size = link.number();
        default -> throw new MalformedException("a dag-pb link has no field " + link.field());
      }
    }
    return new PbLink(
        cid.orElseThrow(() -> new MalformedException("a dag-pb link leads nowhere")), name, size);
  }

  private static Cid cid(ByteBuffer bytes) {
    Cid cid = Cid.read(bytes);
    if (bytes.hasRemaining()) {
      throw new MalformedException("bytes follow the CID of a dag-pb link", bytes.position());
    }
    return cid;
  }
}
