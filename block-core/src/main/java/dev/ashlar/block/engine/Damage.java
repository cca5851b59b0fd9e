package dev.ashlar.block.engine;

/**
 * A log entry that is missing or fails its checksum. Nothing at or above it is cut or compacted.
 *
 * @param index the lowest log index that is damaged
 * @param what what is wrong with it
 */
public record Damage(long index, String what) {}
