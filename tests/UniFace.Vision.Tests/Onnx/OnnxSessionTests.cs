using System.Collections.Concurrent;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Detection;
using UniFace.Vision.Onnx;

namespace UniFace.Vision.Tests.Onnx;

/// <summary>A session that is disposed while threads use it finishes their runs, refuses new ones, and never crashes the process.</summary>
public sealed class OnnxSessionTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void An_embedder_disposed_during_runs_finishes_them_and_refuses_new_ones()
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, 112, 112, 16);
        RgbImage[] faces = [.. Enumerable.Range(0, 8).Select(i => TestImages.Noise(112, 112, i))];
        for (int round = 0; round < 20; round++)
        {
            FaceRecognizer recognizer = FaceRecognizer.Open(path, new FaceRecognizerOptions { Threads = 2 });
            RunUntilDisposed(() => recognizer.Embedder.Embed(faces), recognizer.Dispose);
            recognizer.Dispose();
        }
    }

    [Fact]
    public void A_detector_disposed_during_runs_finishes_them_and_refuses_new_ones()
    {
        Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");
        RgbImage photo = TestImages.Noise(120, 120, 1);
        for (int round = 0; round < 3; round++)
        {
            IFaceDetector detector = FaceDetectors.Open();
            RunUntilDisposed(() => detector.Detect(photo), detector.Dispose);
        }
    }

    [Fact]
    public void Results_keep_a_disposed_session_alive_until_they_are_disposed()
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, 4, 4, 16);
        OnnxSession session = OnnxSession.Open(path, 1);
        using Microsoft.ML.OnnxRuntime.OrtValue value = Microsoft.ML.OnnxRuntime.OrtValue.CreateTensorValueFromMemory(new float[48], [1, 3, 4, 4]);
        OnnxSession.Results results = session.Run("x", value, ["y"]);
        session.Dispose();
        Assert.Equal(16, results.Floats(0).Length);
        results.Dispose();
        results.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Run("x", value, ["y"]));
    }

    private static void RunUntilDisposed(Action run, Action dispose)
    {
        const int Users = 3;
        using CountdownEvent started = new(Users);
        ConcurrentBag<Exception> ends = [];
        Thread[] users = [.. Enumerable.Range(0, Users).Select(_ => new Thread(() =>
        {
            try
            {
                run();
                started.Signal();
                while (true)
                {
                    run();
                }
            }
            catch (Exception e)
            {
                ends.Add(e);
            }
        }))];
        Array.ForEach(users, user => user.Start());
        started.Wait(TestContext.Current.CancellationToken);
        dispose();
        Array.ForEach(users, user => user.Join());
        Assert.All(ends, end => Assert.IsType<ObjectDisposedException>(end));
        Assert.Equal(Users, ends.Count);
    }
}
