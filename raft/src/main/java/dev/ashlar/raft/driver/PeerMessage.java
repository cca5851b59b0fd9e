package dev.ashlar.raft.driver;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.engine.LogPosition;
import dev.ashlar.block.engine.ManifestHead;
import dev.ashlar.block.engine.ManifestRow;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import dev.ashlar.raft.core.Message;
import dev.ashlar.raft.replication.BlockCommand;
import dev.ashlar.raft.replication.WriteResult;
import java.util.List;
import java.util.Optional;

/** Everything that members say to each other. None relies on another having come before it. */
public sealed interface PeerMessage {

  /** Which connection it takes. */
  Lane lane();

  /** A message of the consensus protocol. */
  record Protocol(Message message) implements PeerMessage {
    @Override
    public Lane lane() {
      return message instanceof Message.AppendEntries append && !append.entries().isEmpty()
          ? Lane.LOG
          : Lane.CONTROL;
    }
  }

  /**
   * How the sender is doing.
   *
   * @param lacksSpace whether it is within its reserve
   */
  record Announce(boolean lacksSpace) implements PeerMessage {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  /**
   * A write that the sender was asked for.
   *
   * @param id of the sender's choice, never used again
   * @param command the write
   */
  record Forward(long id, BlockCommand command) implements PeerMessage {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /** A request about the cluster that the sender was asked for. */
  record ForwardAdmin(long id, AdminCommand command) implements PeerMessage {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /** What became of a forwarded request. */
  record Forwarded(long id, WriteResult result) implements PeerMessage {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /**
   * Asks for a page of a manifest.
   *
   * @param id of the sender's choice, never used again
   * @param at the manifest that the page before was of, empty for the first page
   * @param after the last multihash of the page before
   */
  record ManifestRequest(long id, Optional<LogPosition> at, Optional<Multihash> after)
      implements PeerMessage {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /**
   * A page of a manifest.
   *
   * @param id of the request
   * @param head what the manifest stands for; empty when there is none yet: ask again
   * @param rows ascending; of the first page when {@code head} is not what was asked for
   * @param isLast whether no row comes after these
   */
  record ManifestPage(long id, Optional<ManifestHead> head, List<ManifestRow> rows, boolean isLast)
      implements PeerMessage {

    /** Copies the list. */
    public ManifestPage {
      rows = List.copyOf(rows);
    }

    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /**
   * Asks for a page of the root records of a manifest. Known by those who announce {@link
   * Features#ROOTS}.
   *
   * @param id of the sender's choice, never used again
   * @param at the manifest
   * @param after the last key of the page before
   */
  record RootsRequest(long id, LogPosition at, Optional<RootKey> after) implements PeerMessage {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /**
   * A page of the root records of the manifest that was asked for.
   *
   * @param id of the request
   * @param count how many records the manifest has
   * @param rootSetAt the last log index up to the manifest's at which a root was set
   * @param records ascending
   * @param isLast whether none comes after these
   */
  record RootsPage(long id, long count, long rootSetAt, List<RootRecord> records, boolean isLast)
      implements PeerMessage {

    /** Copies the list. */
    public RootsPage {
      records = List.copyOf(records);
    }

    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /** Asks for blocks of a manifest that the receiver gave. */
  record BlocksRequest(long id, List<Cid> cids) implements PeerMessage {

    /** Copies the list. */
    public BlocksRequest {
      cids = List.copyOf(cids);
    }

    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /** Asks for a live block whose copy at the sender is damaged. */
  record CopyRequest(long id, Multihash multihash) implements PeerMessage {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /**
   * A live block as the sender has it.
   *
   * @param id of the request
   * @param block empty where it is not live there, or damaged there too
   * @param lastPut the index of its last put
   */
  record Copy(long id, Optional<Block> block, long lastPut) implements PeerMessage {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /** Those of the blocks that fit into an answer; others are asked for again. */
  record Blocks(long id, List<Block> blocks) implements PeerMessage {

    /** Copies the list. */
    public Blocks {
      blocks = List.copyOf(blocks);
    }

    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }
}
