package dev.ashlar.raft.driver;

/**
 * What a member's scrub has come to since its start.
 *
 * @param rounds how often it has read everything
 * @param blocks how many blocks it has read
 * @param bytes how many bytes of sound ones
 * @param damaged how many it found damaged
 * @param unreferenced slots of the heap that nothing refers to, two rounds in a row
 */
public record ScrubStatus(long rounds, long blocks, long bytes, long damaged, long unreferenced) {}
