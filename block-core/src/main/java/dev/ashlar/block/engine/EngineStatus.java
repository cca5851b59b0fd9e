package dev.ashlar.block.engine;

/**
 * Where an engine stands, as of its last durable batch.
 *
 * @param base the entry before the first one that the log still has
 * @param last the last entry of the log
 * @param applied entries up to here have taken effect
 * @param watermark effects up to here are in the index on disk
 * @param generation which pair of index maps is in use
 * @param liveBlocks blocks that can be got
 * @param liveBytes their bytes
 * @param heapSlots blocks in the heap, live or not
 * @param heapBytes their bytes
 */
public record EngineStatus(
    LogPosition base,
    LogPosition last,
    long applied,
    long watermark,
    long generation,
    long liveBlocks,
    long liveBytes,
    long heapSlots,
    long heapBytes) {}
