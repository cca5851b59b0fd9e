package dev.ashlar.block.engine;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.Cid;
import dev.ashlar.block.StoreDamagedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongConsumer;

/**
 * Reads a whole store and compares: bytes with their hashes, the heap with what refers to it, the
 * counters with what is there. It works in pages, so that writers never wait for it and no
 * transaction grows old.
 */
final class Verification {

  private static final int PAGE = 256;

  private final StorageEngine engine;
  private final LongConsumer progress;
  private final List<Cid> damaged = new ArrayList<>();
  private final List<String> findings = new ArrayList<>();
  private long damagedCount;
  private long blocks;
  private long bytes;

  Verification(StorageEngine engine, LongConsumer progress) {
    this.engine = engine;
    this.progress = progress;
  }

  VerifyReport run() {
    EngineStatus before = engine.status();
    engine.damage().ifPresent(d -> findings.add("log entry " + d.index() + ": " + d.what()));
    Optional<String> unsound = engine.findDamage();
    if (unsound.isPresent()) {
      // What lies above it may go round in circles.
      findings.add("the index: " + unsound.get());
      return new VerifyReport(blocks, bytes, damaged, damagedCount, findings);
    }
    try {
      engine.audit().countRoots();
    } catch (StoreDamagedException e) {
      findings.add(e.getMessage());
    }
    readBlocks();
    long unreferenced = readHeap();
    if (engine.status().equals(before)) {
      // Nothing was written meanwhile, so the counters must be exact.
      compare("live blocks", before.liveBlocks(), blocks);
      compare("bytes of live blocks", before.liveBytes(), bytes);
      // An install under way has fetched blocks that no row in use names yet.
      if (unreferenced > 0 && !engine.isInstalling() && !engine.isSweeping()) {
        findings.add(unreferenced + " blocks in the heap are referred to by nothing");
      }
    }
    return new VerifyReport(blocks, bytes, damaged, damagedCount, findings);
  }

  private void readBlocks() {
    Optional<BlockCursor> cursor = Optional.of(BlockCursor.START);
    while (cursor.isPresent()) {
      BlockPage page = engine.list(cursor.get(), PAGE);
      for (BlockPage.Entry entry : page.entries()) {
        readBlock(entry.cid());
      }
      progress.accept(bytes);
      cursor = page.next();
    }
  }

  private void readBlock(Cid cid) {
    try {
      Optional<Integer> size =
          engine.read(cid, (payload, crc) -> Block.verified(cid, payload).size());
      size.ifPresent(
          found -> {
            blocks++;
            bytes += found;
          });
    } catch (BlockException e) {
      blocks++;
      damagedCount++;
      if (damaged.size() < VerifyReport.NAMED_MAX) {
        damaged.add(cid);
      }
    }
  }

  /** Counts slots that neither the log nor the index needs; compares the heap's own counters. */
  private long readHeap() {
    EngineStatus before = engine.status();
    long slots = 0;
    long heapBytes = 0;
    long unreferenced = 0;
    long unreadable = 0;
    OptionalLong from = OptionalLong.of(0);
    while (from.isPresent()) {
      HeapPage page = engine.audit().readHeap(from.getAsLong());
      slots += page.slots();
      heapBytes += page.bytes();
      unreferenced += page.unreferenced();
      unreadable += page.unreadable();
      from = page.next();
    }
    if (unreadable > 0) {
      findings.add(unreadable + " headers in the heap are damaged");
    }
    if (engine.status().equals(before)) {
      compare("blocks in the heap", before.heapSlots(), slots);
      if (unreadable == 0) {
        compare("bytes in the heap", before.heapBytes(), heapBytes);
      }
    }
    return unreferenced;
  }

  private void compare(String what, long counter, long found) {
    if (counter != found) {
      findings.add(what + ": the counter says " + counter + " and there are " + found);
    }
  }
}
