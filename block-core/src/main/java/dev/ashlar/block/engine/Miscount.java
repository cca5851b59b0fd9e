package dev.ashlar.block.engine;

import java.util.List;

/**
 * By how much more one snapshot of a store holds than its counters said in that snapshot. Writers
 * go on meanwhile, and need not be waited for: they change the counters by as much as they change
 * what is counted, so that what the counters are off by stays the same.
 *
 * <p>Only damage makes them differ: of a row that fails its checksum nobody knows how many bytes
 * went when its block was deleted, or which slot.
 *
 * @param generation which pair of {@code blocks} and {@code roots} was in use
 * @param blocks rows of the index: below 0 where rows are hidden, above where they have come from
 *     nowhere and can be read
 * @param bytes block bytes of those rows; 0 where some rows cannot be read
 * @param slots slots of the heap
 * @param slotBytes their block bytes, of a header that is damaged none; 0 unless the heap is known
 * @param lost slots that neither a row nor the log refers to; none unless the heap is known
 * @param heap whether it is
 */
public record Miscount(
    long generation,
    long blocks,
    long bytes,
    long slots,
    long slotBytes,
    List<Long> lost,
    Heap heap) {

  /** What is known of the heap. */
  public enum Heap {
    /**
     * The number of its slots: it was not looked into, or something is being installed or swept.
     */
    NUMBER,
    /** No more than that: a slot that is needed cannot be read. */
    DAMAGED,
    /** Everything. */
    KNOWN
  }

  /** Copies the list. */
  public Miscount {
    lost = List.copyOf(lost);
  }

  /** Whether everything is known of the heap. */
  public boolean knowsHeap() {
    return heap == Heap.KNOWN;
  }

  /** Whether all that was looked at is as it should be. */
  public boolean isNone() {
    return blocks == 0 && bytes == 0 && slots == 0 && slotBytes == 0 && lost.isEmpty();
  }
}
