package dev.ashlar.block.dag;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.ipld.PbNode;
import dev.ashlar.block.unixfs.UnixFsNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DagTest {

  private final DagFixtures dags = new DagFixtures();

  @Test
  void walksShowTheBlocksOfOthersInTheirOrder() {
    for (String name : dags.names()) {
      assertThat(walk(name, List.of(), options(DagScope.ALL, false)))
          .as(name)
          .isEqualTo(dags.all(name));
      assertThat(walk(name, List.of(), options(DagScope.ALL, true)))
          .as(name)
          .isEqualTo(dags.allWithDuplicates(name));
    }
  }

  @Test
  void pathsLeadThroughDirectoriesShardsAndValues() {
    assertThat(text("dir", "hello.txt")).isEqualTo("hello application/vnd.ipld.car\n");
    assertThat(text("dir", "sub", "ünïcode name.txt")).isEqualTo("a name beyond ASCII\n");
    for (int i = 0; i < 400; i++) {
      assertThat(text("hamt", i + ".txt")).isEqualTo(i + "\n");
    }
    assertThat(resolve("cbor", "files", "single").terminus()).isEqualTo(dags.root("file"));
    assertThat(text("cbor", "files", "list", "2", "three", "ascii.txt")).startsWith("goodbye");
    assertThat(text("json", "link", "inline")).isEqualTo("in the link");
  }

  @Test
  void aPathSaysWhatItTookToGoThere() {
    DagPath path = resolve("cbor", "files", "list", "2", "three", "sub", "large.bin");

    assertThat(path.roots())
        .startsWith(dags.root("cbor"), dags.root("dir"))
        .hasSize(4)
        .endsWith(path.terminus());
    assertThat(path.blocks()).isEqualTo(path.roots().subList(0, 3));
    List<DagPath> inShards =
        IntStream.range(0, 400).mapToObj(i -> resolve("hamt", i + ".txt")).toList();
    assertThat(inShards)
        .allMatch(way -> way.roots().size() == 2)
        .allMatch(way -> way.blocks().get(0).equals(dags.root("hamt")))
        .anyMatch(way -> way.blocks().size() == 1)
        .anyMatch(way -> way.blocks().size() == 2);
  }

  @Test
  void aPathCanEndWithinABlock() {
    assertThat(resolve("cbor", "text").remainder()).containsExactly("text");
    assertThat(resolve("json", "link", "files", "list", "0").remainder())
        .containsExactly("files", "list", "0");
    assertThat(resolve("json", "bytes").remainder()).containsExactly("bytes");
  }

  @Test
  void namesThatLeadNowhereAreNamed() {
    for (List<String> path :
        List.of(
            List.of("dir", "none"),
            List.of("dir", "hello.txt", "further"),
            List.of("hamt", "401.txt"),
            List.of("hamt", ""),
            List.of("cbor", "files", "list", "3"),
            List.of("cbor", "files", "list", "02"),
            List.of("cbor", "text", "further"),
            List.of("file", "0"))) {
      String name = path.get(0);
      assertThatThrownBy(() -> DagPath.resolve(dags, dags.root(name), path.subList(1, path.size())))
          .as("%s", path)
          .isInstanceOf(DagException.NoSuchSegment.class)
          .hasMessageContaining("'" + path.get(path.size() - 1) + "'");
    }
  }

  @Test
  void anEntityIsTheFileOrTheDirectoryWithoutWhatIsInIt() {
    assertThat(walk("file", List.of(), options(DagScope.ENTITY, false)))
        .isEqualTo(dags.all("file"));
    assertThat(walk("dir", List.of(), options(DagScope.ENTITY, false)))
        .containsExactly(dags.root("dir"));
    assertThat(walk("cbor", List.of(), options(DagScope.ENTITY, false)))
        .containsExactly(dags.root("cbor"));
    List<Cid> shards = walk("hamt", List.of(), options(DagScope.ENTITY, false));
    assertThat(shards).hasSizeGreaterThan(10).allMatch(cid -> cid.codec() == Multicodec.DAG_PB);
    assertThat(shards).doesNotContain(resolve("hamt", "large.bin").terminus());
    assertThat(walk("dir", List.of("sub"), options(DagScope.BLOCK, false)))
        .containsExactly(dags.root("dir"), resolve("dir", "sub").terminus());
  }

  @Test
  void aRangeTakesTheBlocksThatHoldSomeOfItAndNoOthers() {
    Random random = new Random(7);
    for (String name : List.of("file", "oldFile")) {
      List<Placed> blocks = new ArrayList<>();
      long size = place(dags.root(name), 0, blocks);
      assertThat(blocks).hasSizeGreaterThan(10);
      for (int i = 0; i < 300; i++) {
        long from = random.nextInt((int) size);
        long to = from + random.nextInt((int) (size - from));
        List<Cid> expected =
            blocks.stream()
                .filter(block -> block.from() <= to && block.end() > from)
                .map(Placed::cid)
                .toList();
        assertThat(walk(name, List.of(), ranged(EntityBytes.parse(from + ":" + to))))
            .as("%s %d:%d", name, from, to)
            .isEqualTo(expected);
      }
    }
  }

  @Test
  void rangesCountFromEitherEndAndAreCutOff() {
    assertThat(EntityBytes.parse("-9999:-3").of(100)).isEqualTo(new EntityBytes.Range(0, 97));
    assertThat(EntityBytes.parse("512:-256").of(1024)).isEqualTo(new EntityBytes.Range(512, 768));
    assertThat(EntityBytes.parse("5:*").of(10)).isEqualTo(new EntityBytes.Range(5, 9));
    assertThat(EntityBytes.parse("0:0").of(10)).isEqualTo(new EntityBytes.Range(0, 0));
    assertThat(EntityBytes.parse("7:99").of(10)).isEqualTo(new EntityBytes.Range(7, 9));
    assertThat(EntityBytes.parse("20:*").of(10).isEmpty()).isTrue();
    for (String wrong :
        List.of("", "1", "a:b", "5:3", "-3:-5", "*:3", "1:2:3", "1:9999999999999999999")) {
      assertThatThrownBy(() -> EntityBytes.parse(wrong)).as(wrong).hasMessageContaining("entity");
    }
  }

  @Test
  void aRangeOfADirectoryIsOfNoConcern() {
    assertThat(walk("hamt", List.of(), ranged(EntityBytes.parse("0:1"))))
        .isEqualTo(walk("hamt", List.of(), options(DagScope.ENTITY, false)));
  }

  @Test
  void missingBlocksAndTooManyEndAWalkByName() {
    Cid lost = dags.all("dir").get(2);
    BlockSource without = cid -> cid.equals(lost) ? Optional.empty() : dags.get(cid);
    DagPath path = DagPath.resolve(without, dags.root("dir"), List.of());
    DagWalk walk = new DagWalk(without, path, DagWalk.Options.ALL, bytes -> {});
    assertThat(walk.next()).isPresent();
    assertThat(walk.next()).isPresent();
    assertThatThrownBy(walk::next)
        .isInstanceOfSatisfying(
            DagException.MissingBlock.class, e -> assertThat(e.cid()).isEqualTo(lost));

    DagWalk.Options few = new DagWalk.Options(DagScope.ALL, Optional.empty(), true, 5, 1024);
    assertThatThrownBy(() -> walk("dir", List.of(), few))
        .isInstanceOf(DagException.TooLarge.class)
        .hasMessageContaining("5 blocks");
    DagWalk.Options flat = new DagWalk.Options(DagScope.ALL, Optional.empty(), true, 5000, 2);
    assertThatThrownBy(() -> walk("hamt", List.of(), flat))
        .isInstanceOf(DagException.TooLarge.class)
        .hasMessageContaining("2 levels");
  }

  @Test
  void whatAWalkHoldsIsCountedAndGivenBack() {
    AtomicLong held = new AtomicLong();
    AtomicLong most = new AtomicLong();
    DagPath path = DagPath.resolve(dags, dags.root("hamt"), List.of());
    DagWalk walk =
        new DagWalk(
            dags,
            path,
            DagWalk.Options.ALL,
            bytes -> most.accumulateAndGet(held.addAndGet(bytes), Math::max));
    while (walk.next().isPresent()) {
      assertThat(held.get()).isPositive();
    }
    walk.close();

    assertThat(held.get()).isZero();
    assertThat(most.get()).isBetween(401L * 16, 401L * 1000);
  }

  @Test
  void nodesAreWrittenAsOthersWriteThem() {
    for (Block block : dags.blocks()) {
      if (block.cid().codec() == Multicodec.DAG_PB) {
        PbNode node = PbNode.decode(block.bytes());
        assertThat(node.encode()).isEqualTo(block.bytes());
        assertThat(node.data().map(data -> UnixFsNode.decode(data).encode()))
            .isEqualTo(node.data());
      }
    }
  }

  private static DagWalk.Options options(DagScope scope, boolean duplicates) {
    return new DagWalk.Options(scope, Optional.empty(), duplicates, 5000, 100);
  }

  private static DagWalk.Options ranged(EntityBytes bytes) {
    return new DagWalk.Options(DagScope.ENTITY, Optional.of(bytes), false, 5000, 100);
  }

  private List<Cid> walk(String name, List<String> segments, DagWalk.Options options) {
    DagPath path = DagPath.resolve(dags, dags.root(name), segments);
    DagWalk walk = new DagWalk(dags, path, options, bytes -> {});
    List<Cid> shown = new ArrayList<>();
    Optional<Block> block = walk.next();
    while (block.isPresent()) {
      shown.add(block.get().cid());
      block = walk.next();
    }
    return shown;
  }

  private DagPath resolve(String name, String... segments) {
    return DagPath.resolve(dags, dags.root(name), List.of(segments));
  }

  private String text(String name, String... segments) {
    ByteBuffer bytes = dags.require(resolve(name, segments).terminus()).bytes();
    return StandardCharsets.UTF_8.decode(bytes).toString();
  }

  /** A block of a file, and which bytes are in it or below it. */
  private record Placed(Cid cid, long from, long end) {}

  /** Notes the blocks of a file depth first, by the bytes that are really there. */
  private long place(Cid cid, long from, List<Placed> into) {
    int at = into.size();
    into.add(new Placed(cid, from, from));
    Block block = dags.require(cid);
    long end = from;
    if (cid.codec() == Multicodec.RAW) {
      end += block.size();
    } else {
      PbNode node = PbNode.decode(block.bytes());
      end += UnixFsNode.of(node).orElseThrow().dataBytes();
      for (PbNode.PbLink link : node.links()) {
        end = place(link.cid(), end, into);
      }
    }
    into.set(at, new Placed(cid, from, end));
    return end;
  }
}
