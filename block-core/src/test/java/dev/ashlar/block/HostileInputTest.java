package dev.ashlar.block;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.car.CarException;
import dev.ashlar.block.car.CarLimits;
import dev.ashlar.block.car.CarReader;
import dev.ashlar.block.car.CarWriter;
import dev.ashlar.block.dag.BlockSource;
import dev.ashlar.block.dag.DagException;
import dev.ashlar.block.dag.DagFixtures;
import dev.ashlar.block.dag.DagPath;
import dev.ashlar.block.dag.DagWalk;
import dev.ashlar.block.ipld.Links;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Whatever comes, a parser gives a value or a typed refusal, and takes no more memory than told.
 */
class HostileInputTest {

  private static final int RUNS = Integer.getInteger("ashlar.runs", 1) * 20_000;

  private final long seed = Seeds.next();
  private final Random random = new Random(seed);

  /** What is tried. */
  private interface Parser {
    void parse(byte[] input) throws IOException;
  }

  @Test
  void cidsAsText() {
    List<byte[]> texts = new ArrayList<>();
    for (Multibase base : Multibase.values()) {
      texts.add(base.encode(cid().toBytes()).getBytes(StandardCharsets.UTF_8));
    }
    texts.add(Cid.v0(cid().multihash()).toString().getBytes(StandardCharsets.UTF_8));
    tryAll(texts, input -> Cid.parse(new String(input, StandardCharsets.UTF_8)));
    tryAll(texts, input -> BlockCursor.parse(new String(input, StandardCharsets.UTF_8)));
    tryAll(texts, input -> Multibase.decode(new String(input, StandardCharsets.ISO_8859_1)));
  }

  @Test
  void cidsAsBytes() {
    List<byte[]> bytes = List.of(cid().toBytes(), Cid.v0(cid().multihash()).toBytes());
    tryAll(bytes, Cid::decode);
    tryAll(bytes, input -> Cid.read(ByteBuffer.wrap(input)));
    tryAll(List.of(cid().multihash().toBytes()), Multihash::decode);
  }

  @Test
  void cars() throws IOException {
    List<Block> blocks = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      blocks.add(TestBlocks.numbered(i, 10 + i * 30));
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CarWriter writer = CarWriter.open(out, List.of(blocks.get(0).cid()))) {
      for (Block block : blocks) {
        writer.write(block);
      }
    }
    byte[] version2 =
        ByteBuffer.allocate(11 + 40 + out.size())
            .put(new byte[] {0x0a, (byte) 0xa1, 0x67})
            .put("version".getBytes(StandardCharsets.US_ASCII))
            .put((byte) 2)
            .put(new byte[40])
            .put(out.toByteArray())
            .array();
    tryAll(
        List.of(out.toByteArray(), version2),
        input -> {
          try (CarReader reader =
              CarReader.open(new ByteArrayInputStream(input), CarLimits.blocksOf(1 << 16))) {
            while (reader.next().isPresent()) {
              assertThat(reader.offset()).isLessThanOrEqualTo(input.length);
            }
          } catch (CarException e) {
            assertThat(e).hasMessageContaining(" ");
          }
        });
  }

  @Test
  void linksOfBlocks() {
    byte[] node =
        ByteBuffer.allocate(64)
            .put(new byte[] {0x12, 0x28, 0x0a, 0x24})
            .put(cid().toBytes())
            .put(new byte[] {0x12, 0x00})
            .array();
    byte[] map =
        ByteBuffer.allocate(64)
            .put(new byte[] {(byte) 0xa1, 0x61, 'l', (byte) 0xd8, 0x2a, 0x58, 0x25, 0x00})
            .put(cid().toBytes())
            .array();
    for (long codec : new long[] {0x70, 0x71, 0x0129, 0x55}) {
      tryAll(
          List.of(node, map),
          input -> Links.of(Block.of(codec, HashFunction.SHA2_256, ByteBuffer.wrap(input))));
    }
  }

  @Test
  void pathsThroughBlocksAndFiles() {
    DagFixtures dags = new DagFixtures();
    for (String name : dags.names()) {
      Cid root = dags.root(name);
      List<byte[]> seeds =
          dags.blocks().stream()
              .filter(block -> block.cid().codec() == root.codec())
              .limit(20)
              .map(Block::toByteArray)
              .toList();
      for (List<String> path : List.of(List.<String>of(), List.of("files", "list", "2", "7.txt"))) {
        tryAll(
            seeds,
            input -> {
              Block block = Block.of(root.codec(), HashFunction.SHA2_256, ByteBuffer.wrap(input));
              BlockSource source =
                  cid -> cid.equals(block.cid()) ? Optional.of(block) : dags.get(cid);
              try {
                DagPath found = DagPath.resolve(source, block.cid(), path);
                DagWalk walk = new DagWalk(source, found, DagWalk.Options.ALL, bytes -> {});
                while (walk.next().isPresent()) {
                  // Each is shown or refused.
                }
              } catch (DagException refusal) {
                assertThat(refusal).hasMessageContaining(" ");
              }
            });
      }
    }
  }

  private void tryAll(List<byte[]> seeds, Parser parser) {
    Mutations mutations = new Mutations(seeds, random);
    for (int i = 0; i < RUNS; i++) {
      byte[] input = mutations.next();
      try {
        parser.parse(input);
      } catch (BlockException | IOException refusal) {
        assertThat(refusal).hasMessageContaining(" ");
      } catch (RuntimeException | Error e) {
        throw new AssertionError(
            "-Dashlar.seed=" + seed + ": " + java.util.HexFormat.of().formatHex(input), e);
      }
    }
  }

  private static Cid cid() {
    return TestBlocks.numbered(7, 20).cid();
  }
}
