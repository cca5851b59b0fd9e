package dev.ashlar.block;

/**
 * Counters of a store.
 *
 * @param blocks how many blocks can be got
 * @param bytes how many bytes those have together
 * @param reclaimableBytes how many bytes of deleted blocks still take up room
 */
public record BlockStoreStatistics(long blocks, long bytes, long reclaimableBytes) {}
