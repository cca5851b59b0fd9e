package dev.ashlar.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Carries connections to a member, until it is cut: then it swallows what comes and says nothing,
 * so that the member hears nobody although everybody hears it.
 */
final class OneWayProxy implements AutoCloseable {

  private final ServerSocket server;
  private final int target;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile boolean cut;

  OneWayProxy(int port, int target) throws IOException {
    this.server = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
    this.target = target;
    thread(this::accept);
  }

  /** From now on nothing arrives. */
  void cut() {
    cut = true;
  }

  /** What was cut off is closed, so that it is made anew. */
  void heal() throws IOException {
    cut = false;
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket in = server.accept();
        Socket out = new Socket(InetAddress.getLoopbackAddress(), target);
        sockets.add(in);
        sockets.add(out);
        thread(() -> carry(in, out));
        thread(() -> carry(out, in));
      } catch (IOException e) {
        // The member is down, or the test is over; who connected hears that by the next attempt.
        Thread.onSpinWait();
      }
    }
  }

  private void carry(Socket from, Socket to) {
    byte[] buffer = new byte[64 << 10];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        if (!cut) {
          out.write(buffer, 0, n);
          out.flush();
        }
      }
    } catch (IOException e) {
      // One of the two is gone, and so is the connection.
    } finally {
      sockets.remove(from);
      sockets.remove(to);
    }
  }

  private static void thread(Runnable task) {
    Thread thread = new Thread(task, "one-way-proxy");
    thread.setDaemon(true);
    thread.start();
  }
}
