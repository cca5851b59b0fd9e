package dev.ashlar.benchmarks;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import dev.ashlar.store.memory.MemoryBlockStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Hashing, CIDs, and hot reads of each store, on one thread. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class BlockBenchmark {

  private static final int BLOCKS = 10_000;

  /** Block size in bytes. */
  @Param({"1024", "65536", "1048576"})
  public int size;

  private byte[] bytes = new byte[0];
  private List<Cid> cids = List.of();
  private List<String> texts = List.of();
  private BlockStore memory = MemoryBlockStore.open();
  private BlockStore lmdb = MemoryBlockStore.open();
  private Path directory = Path.of("");
  private int next;

  /** Fills the stores. */
  @Setup(Level.Trial)
  public void fill() throws IOException {
    Random random = new Random(1);
    bytes = new byte[size];
    random.nextBytes(bytes);
    directory = Files.createTempDirectory(Path.of("target"), "jmh");
    lmdb = LmdbBlockStore.open(directory);
    List<Block> blocks =
        IntStream.range(0, Math.min(BLOCKS, (256 << 20) / size)).mapToObj(i -> block(i)).toList();
    memory.putAll(blocks);
    lmdb.putAll(blocks);
    cids = blocks.stream().map(Block::cid).toList();
    texts = cids.stream().map(Cid::toString).toList();
  }

  /** Removes them. */
  @TearDown(Level.Trial)
  public void remove() throws IOException {
    memory.close();
    lmdb.close();
    Layouts.deleteBelow(directory);
    Files.delete(directory);
  }

  /** SHA-256 and CRC32C in one pass. */
  @Benchmark
  public Block hash() {
    return Block.of(Multicodec.RAW, HashFunction.SHA2_256, ByteBuffer.wrap(bytes));
  }

  /** Text to CID. */
  @Benchmark
  public Cid cidParse() {
    return Cid.parse(texts.get(index()));
  }

  /** CID to text. */
  @Benchmark
  public String cidPrint() {
    return cids.get(index()).toString();
  }

  /** A block copied out of LMDB, checked. */
  @Benchmark
  public Optional<Block> lmdbGet() {
    return lmdb.get(cids.get(index()));
  }

  /** A block read where it lies in LMDB, checked. */
  @Benchmark
  public Optional<Integer> lmdbView() {
    return lmdb.view(cids.get(index()), ByteBuffer::remaining);
  }

  /** A block copied out of memory, checked. */
  @Benchmark
  public Optional<Block> memoryGet() {
    return memory.get(cids.get(index()));
  }

  private int index() {
    next = next + 1 == cids.size() ? 0 : next + 1;
    return next;
  }

  private Block block(int number) {
    byte[] unique = bytes.clone();
    ByteBuffer.wrap(unique).putInt(0, number);
    return Block.of(Multicodec.RAW, HashFunction.SHA2_256, ByteBuffer.wrap(unique));
  }
}
