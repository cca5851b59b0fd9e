package dev.ashlar.block.dag;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.ipld.DataPath;
import dev.ashlar.block.ipld.PbNode;
import dev.ashlar.block.unixfs.Hamt;
import dev.ashlar.block.unixfs.UnixFsNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a path of names leads from a root: through directories and their shards, through the values
 * of dag-cbor and dag-json, and through the named links of other dag-pb blocks (Path Gateway
 * specification, "Path Resolution").
 *
 * @param blocks the blocks that it takes to go there, each shard among them, without the last
 * @param roots what each segment leads to, the root first; the last one is where the path ends
 * @param remainder segments that lead on within the last block, to a value that is no link
 */
public record DagPath(List<Cid> blocks, List<Cid> roots, List<String> remainder) {

  /** More blocks than this make no path. */
  public static final int BLOCKS_MAX = 1024;

  /** Where the path ends. */
  public Cid terminus() {
    return roots.get(roots.size() - 1);
  }

  /**
   * Goes along a path.
   *
   * @throws DagException.MissingBlock when a block on the way, the last one included, is not there
   * @throws DagException.NoSuchSegment when a name leads nowhere
   * @throws DagException.TooLarge when there are too many blocks on the way
   * @throws MalformedException when a block on the way is not of its codec
   */
  public static DagPath resolve(BlockSource source, Cid root, List<String> segments) {
    Walk walk = new Walk(source, root, segments);
    while (walk.at < segments.size() && walk.remainder.isEmpty()) {
      walk.step();
    }
    source.require(walk.here);
    return new DagPath(walk.blocks, walk.roots, walk.remainder);
  }

  private static final class Walk {
    private final BlockSource source;
    private final List<String> segments;
    private final List<Cid> blocks = new ArrayList<>();
    private final List<Cid> roots = new ArrayList<>();
    private List<String> remainder = List.of();
    private Cid here;
    private int at;

    Walk(BlockSource source, Cid root, List<String> segments) {
      this.source = source;
      this.segments = segments;
      this.here = root;
      this.roots.add(root);
    }

    void step() {
      Block block = source.require(here);
      if (here.codec() == Multicodec.DAG_PB) {
        stepByName(PbNode.decode(block.bytes()));
        return;
      }
      List<String> rest = segments.subList(at, segments.size());
      DataPath found = DataPath.find(block, rest);
      if (found instanceof DataPath.ToLink link) {
        advance(link.cid(), link.used());
      } else if (found instanceof DataPath.Missing missing) {
        throw new DagException.NoSuchSegment(rest.get(missing.at()), here);
      } else {
        remainder = rest;
      }
    }

    private void stepByName(PbNode node) {
      String name = segments.get(at);
      Optional<UnixFsNode> file = UnixFsNode.of(node);
      if (file.filter(f -> f.type() == UnixFsNode.Type.HAMT_SHARD).isPresent()) {
        lookThroughShards(node, file.get(), name);
        return;
      }
      advance(
          node.linkNamed(name).orElseThrow(() -> new DagException.NoSuchSegment(name, here)), 1);
    }

    private void lookThroughShards(PbNode first, UnixFsNode firstFile, String name) {
      Cid directory = here;
      Hamt hamt = new Hamt(name);
      Hamt.Place place = hamt.lookIn(first, firstFile);
      while (place instanceof Hamt.Place.Shard shard) {
        pass();
        here = shard.cid();
        PbNode node = PbNode.decode(source.require(here).bytes());
        UnixFsNode file =
            UnixFsNode.of(node).orElseThrow(() -> new MalformedException(here + " is not a shard"));
        place = hamt.lookIn(node, file);
      }
      if (!(place instanceof Hamt.Place.Entry entry)) {
        throw new DagException.NoSuchSegment(name, directory);
      }
      advance(entry.cid(), 1);
    }

    private void advance(Cid to, int used) {
      pass();
      here = to;
      at += used;
      roots.add(to);
    }

    private void pass() {
      if (blocks.size() == BLOCKS_MAX) {
        throw new DagException.TooLarge("blocks on the way", BLOCKS_MAX);
      }
      blocks.add(here);
    }
  }
}
