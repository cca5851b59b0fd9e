package dev.ashlar.server.chaos;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * Stands before a member's peer port and reads who calls (docs/format.md, "Handshake"), so that the
 * network can be cut between any two members, one way, one lane. What a member says to another goes
 * over connections that it made itself, so a cut here is deafness of the member behind it.
 */
public final class PeerProxy implements AutoCloseable {

  /** The lane of log entries, as the handshake numbers it. */
  static final int LOG_LANE = 2;

  private static final int FRAME_HEAD_BYTES = 8;
  private static final int FRAME_BYTES_MAX = 1 << 20;
  private static final int PURPOSE_AT = 4 + 2;
  private static final int ADDRESS_AT = PURPOSE_AT + 1 + 8 + 4 * 16;

  /**
   * Who speaks on a connection.
   *
   * @param address where the sender is reached
   * @param purpose the lane, or the question that the connection asks
   */
  public record Sender(String address, int purpose) {}

  private final ServerSocket server;
  private final int target;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private Predicate<Sender> cut = sender -> false;

  /**
   * Begins to listen.
   *
   * @param port where, on loopback
   * @param target the port on loopback that what passes goes to
   */
  public PeerProxy(int port, int target) throws IOException {
    this.server = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
    this.target = target;
    start(this::accept);
  }

  /** From now on nothing passes of those whom this names. */
  public synchronized void cut(Predicate<Sender> senders) {
    cut = senders;
  }

  /**
   * Everything passes again.
   *
   * @param late whether what was sent meanwhile arrives now; otherwise connections are made anew
   */
  public void heal(boolean late) throws IOException {
    if (!late) {
      closeAll();
    }
    synchronized (this) {
      cut = sender -> false;
      notifyAll();
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    heal(false);
  }

  private void closeAll() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket in = server.accept();
        sockets.add(in);
        start(() -> serve(in));
      } catch (IOException e) {
        // Closed, or out of descriptors for a moment: who calls tries again.
        Thread.onSpinWait();
      }
    }
  }

  private void serve(Socket in) {
    try (in) {
      DataInputStream input = new DataInputStream(in.getInputStream());
      byte[] hello = firstFrame(input);
      Sender sender = sender(hello);
      awaitPassage(sender);
      try (Socket out = new Socket(InetAddress.getLoopbackAddress(), target)) {
        sockets.add(out);
        out.getOutputStream().write(hello);
        start(() -> answer(out, in));
        carry(input, out.getOutputStream(), sender);
        sockets.remove(out);
      }
    } catch (IOException e) {
      // One of the two is gone, and so is the connection.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      sockets.remove(in);
    }
  }

  private static byte[] firstFrame(DataInputStream in) throws IOException {
    byte[] head = in.readNBytes(FRAME_HEAD_BYTES);
    int length = head.length < FRAME_HEAD_BYTES ? -1 : ByteBuffer.wrap(head).getInt();
    if (length < ADDRESS_AT + 2 || length > FRAME_BYTES_MAX) {
      throw new IOException("no hello");
    }
    byte[] body = in.readNBytes(length);
    return ByteBuffer.allocate(head.length + body.length).put(head).put(body).array();
  }

  private static Sender sender(byte[] frame) {
    ByteBuffer hello = ByteBuffer.wrap(frame).position(FRAME_HEAD_BYTES).slice();
    int length = hello.getShort(ADDRESS_AT) & 0xffff;
    byte[] address = new byte[Math.min(length, hello.remaining() - ADDRESS_AT - 2)];
    hello.get(ADDRESS_AT + 2, address);
    return new Sender(new String(address, StandardCharsets.UTF_8), hello.get(PURPOSE_AT));
  }

  private void carry(InputStream in, OutputStream out, Sender sender)
      throws IOException, InterruptedException {
    byte[] buffer = new byte[64 << 10];
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      awaitPassage(sender);
      out.write(buffer, 0, n);
    }
  }

  private synchronized void awaitPassage(Sender sender) throws InterruptedException {
    while (cut.test(sender)) {
      wait();
    }
  }

  private void answer(Socket from, Socket to) {
    try (from;
        to) {
      from.getInputStream().transferTo(to.getOutputStream());
    } catch (IOException e) {
      // One of the two is gone, and so is the connection.
    }
  }

  private static void start(Runnable task) {
    Thread thread = new Thread(task, "ashlar-chaos-proxy");
    thread.setDaemon(true);
    thread.start();
  }
}
