package dev.ashlar.block.ipld;

import dev.ashlar.block.MalformedException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** dag-pb nodes as values of the data model (DAG-PB specification, "Logical Format"). */
final class DagPbNode {

  private DagPbNode() {}

  static Node of(PbNode pb) {
    Map<String, Node> map = new LinkedHashMap<>();
    pb.data().ifPresent(data -> map.put("Data", new Node.Bytes(data)));
    List<Node> links = new ArrayList<>();
    for (PbNode.PbLink link : pb.links()) {
      Map<String, Node> entry = new LinkedHashMap<>();
      entry.put("Hash", new Node.Link(link.cid()));
      entry.put("Name", new Node.Text(link.name()));
      entry.put("Tsize", new Node.Int(BigInteger.valueOf(link.size())));
      links.add(new Node.Mapping(entry));
    }
    map.put("Links", new Node.Sequence(links));
    return new Node.Mapping(map);
  }

  static PbNode toPb(Node node) {
    if (!(node instanceof Node.Mapping map)
        || !(map.values().get("Links") instanceof Node.Sequence list)) {
      throw new MalformedException("a dag-pb node is a map with Links, and Data or not");
    }
    Optional<Node> data = Optional.ofNullable(map.values().get("Data"));
    if (data.filter(value -> !(value instanceof Node.Bytes)).isPresent()
        || map.values().size() > (data.isPresent() ? 2 : 1)) {
      throw new MalformedException("a dag-pb node has Links, and Data that is bytes");
    }
    List<PbNode.PbLink> links = list.values().stream().map(DagPbNode::link).toList();
    return new PbNode(data.map(value -> ((Node.Bytes) value).value()), links);
  }

  private static PbNode.PbLink link(Node node) {
    if (!(node instanceof Node.Mapping map)
        || !(map.values().get("Hash") instanceof Node.Link hash)) {
      throw new MalformedException("a link of a dag-pb node is a map with a Hash");
    }
    String name = map.values().get("Name") instanceof Node.Text text ? text.value() : "";
    long size =
        map.values().get("Tsize") instanceof Node.Int number ? number.value().longValue() : 0;
    return new PbNode.PbLink(hash.cid(), name, size);
  }
}
