package dev.ashlar.raft.driver;

/**
 * What a member's scrub has come to since its start.
 *
 * @param rounds how often it has read everything
 * @param blocks how many blocks it has read
 * @param bytes how many bytes of sound ones
 * @param damaged how many it found damaged
 * @param hidden how many rows of the index are missing; below 0 where there are more than counted
 * @param givenBack slots of the heap that damage had left with nothing to refer to them
 */
public record ScrubStatus(
    long rounds, long blocks, long bytes, long damaged, long hidden, long givenBack) {}
