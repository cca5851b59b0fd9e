package dev.ashlar.raft.core;

/** A message and whom it is for. */
public record Envelope(MemberId to, Message message) {}
