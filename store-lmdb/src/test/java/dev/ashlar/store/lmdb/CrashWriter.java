package dev.ashlar.store.lmdb;

import dev.ashlar.block.Block;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.block.engine.EngineOptions;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A process that puts and deletes numbered blocks until it is killed, and says on its output what
 * has been acknowledged: {@code +N} for a put, {@code -N} for a delete. Started without a JVM flag.
 */
final class CrashWriter {

  static final int THREADS = 4;

  private CrashWriter() {}

  static Block block(long number) {
    return TestBlocks.numbered(number, (int) (number % 7 == 0 ? 40_000 : 50 + number % 3000));
  }

  public static void main(String[] arguments) throws InterruptedException {
    // Small tables, so that a kill meets folds and compactions in every state.
    LmdbBlockStore store =
        LmdbBlockStore.open(
            Path.of(arguments[0]), LmdbOptions.DEFAULT.withEngine(new EngineOptions(64, 16, 32)));
    long first = Long.parseLong(arguments[1]);
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.US_ASCII);
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      long start = first + t;
      Thread thread = new Thread(() -> write(store, start, out));
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private static void write(LmdbBlockStore store, long start, PrintStream out) {
    for (long number = start; ; number += THREADS) {
      store.put(block(number));
      out.println("+" + number);
      if (number % 5 == 0) {
        out.println("?" + number);
        store.delete(block(number).cid());
        out.println("-" + number);
      }
    }
  }
}
