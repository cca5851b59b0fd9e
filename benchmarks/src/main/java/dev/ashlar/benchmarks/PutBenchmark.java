package dev.ashlar.benchmarks;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.PutResult;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import dev.ashlar.store.memory.MemoryBlockStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
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

/**
 * Batches of new blocks a second, hashing and the removal of the batch included, so that it can go
 * on.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 2)
public class PutBenchmark {

  /** Which engine. */
  @Param({"memory", "lmdb"})
  public String engine = "memory";

  /** Block size in bytes. */
  @Param({"1024", "16384", "262144", "1048576"})
  public int size;

  /** Blocks in a call. */
  @Param({"1", "8", "64"})
  public int batch;

  private final Random random = new Random(1);
  private BlockStore store = MemoryBlockStore.open();
  private Path directory = Path.of("");

  /** Opens the store. */
  @Setup(Level.Trial)
  public void open() throws IOException {
    directory = Files.createTempDirectory(Path.of("target"), "jmh");
    store = engine.equals("lmdb") ? LmdbBlockStore.open(directory) : MemoryBlockStore.open();
  }

  /** Removes it. */
  @TearDown(Level.Trial)
  public void remove() throws IOException {
    store.close();
    Layouts.deleteBelow(directory);
    Files.delete(directory);
  }

  /** Puts a batch and deletes it. */
  @Benchmark
  public List<PutResult> putAndDelete() {
    List<Block> blocks = new ArrayList<>(batch);
    for (int i = 0; i < batch; i++) {
      byte[] bytes = new byte[size];
      ByteBuffer.wrap(bytes).putLong(0, random.nextLong());
      blocks.add(Block.of(Multicodec.RAW, HashFunction.SHA2_256, ByteBuffer.wrap(bytes)));
    }
    List<PutResult> results = store.putAll(blocks);
    results.forEach(result -> store.delete(result.cid()));
    return results;
  }
}
