namespace UniFace.Studio.Lab;

/// <summary>
/// Running lessons: one per client, whose newer lesson ends its older one, and a few in total. A lesson ends when its client disconnects.
/// </summary>
internal sealed class LabSessions : IDisposable
{
    private const int MaxLessons = 4, StepsPerFrame = 6;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(40), MaxWait = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim places = new(MaxLessons);
    private readonly Dictionary<string, CancellationTokenSource> clients = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    /// <summary>Number of running lessons.</summary>
    public int Running => MaxLessons - places.CurrentCount;

    /// <summary>Runs a lesson and returns its frames, starting with the state before the first step.</summary>
    /// <param name="lesson">The lesson.</param>
    /// <param name="client">Identifies the client.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="ProblemException">Too many lessons are running.</exception>
    public async IAsyncEnumerable<LabFrame> Run(Lesson lesson, string client, [EnumeratorCancellation] CancellationToken stop)
    {
        using CancellationTokenSource own = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Register(client, own);
        try
        {
            if (!await places.WaitAsync(MaxWait, stop))
            {
                throw new ProblemException(Status503ServiceUnavailable, $"{MaxLessons} lessons are already running; try again in a few seconds");
            }

            try
            {
                await foreach (LabFrame frame in Frames(lesson, own.Token))
                {
                    yield return frame;
                }
            }
            finally
            {
                places.Release();
            }
        }
        finally
        {
            Unregister(client, own);
        }
    }

    public void Dispose() => places.Dispose();

    private static async IAsyncEnumerable<LabFrame> Frames(Lesson lesson, [EnumeratorCancellation] CancellationToken stop)
    {
        List<EmbeddingTrainer> trainers = [];
        try
        {
            trainers.AddRange(lesson.Losses.Select(loss => new EmbeddingTrainer(loss, lesson.Dimensions, lesson.Steps, lesson.Seed)));
            while (!stop.IsCancellationRequested)
            {
                int step = trainers[0].Step;
                yield return new LabFrame(step, lesson.Steps, TenClasses.Labels, [.. trainers.Select(t => t.Observe())]);
                if (step == lesson.Steps)
                {
                    yield break;
                }

                Task pace = Task.Delay(Pace, CancellationToken.None);
                await Task.Run(() => Train(trainers, Math.Min(lesson.Steps, step + StepsPerFrame), stop), CancellationToken.None);
                await pace;
            }
        }
        finally
        {
            trainers.ForEach(t => t.Dispose());
        }
    }

    private static void Train(List<EmbeddingTrainer> trainers, int until, CancellationToken stop)
    {
        foreach (EmbeddingTrainer trainer in trainers)
        {
            while (trainer.Step < until && !stop.IsCancellationRequested)
            {
                trainer.Train();
            }
        }
    }

    private void Register(string client, CancellationTokenSource own)
    {
        lock (gate)
        {
            clients.GetValueOrDefault(client)?.Cancel();
            clients[client] = own;
        }
    }

    private void Unregister(string client, CancellationTokenSource own)
    {
        lock (gate)
        {
            if (clients.GetValueOrDefault(client) == own)
            {
                clients.Remove(client);
            }
        }
    }
}
