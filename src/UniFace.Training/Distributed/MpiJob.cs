namespace UniFace.Training.Distributed;

/// <summary>The job that this process belongs to, as the launcher's environment variables say: PMI_RANK and PMI_SIZE of mpiexec and of srun.</summary>
internal static class MpiJob
{
    /// <summary>Time for mpiexec to print what a rank has written before it ends the job.</summary>
    private static readonly TimeSpan OutputTime = TimeSpan.FromSeconds(1);

    private static readonly Lock Gate = new();
    private static ICommunicator? current;

    /// <summary>The number of processes that the launcher has started; 1 without a launcher.</summary>
    public static int LaunchedSize => Read("PMI_SIZE") ?? 1;

    /// <summary>The number of this process in the job; 0 without a launcher.</summary>
    public static int LaunchedRank => Read("PMI_RANK") ?? 0;

    /// <summary>The number of processes of the job on this machine, which share its processors.</summary>
    public static int LocalSize => Math.Max(Read("MPI_LOCALNRANKS") ?? Read("SLURM_NTASKS_PER_NODE") ?? LaunchedSize, 1);

    /// <summary>The processors of this machine for each process of the job, at least one.</summary>
    public static int LocalProcessors => Math.Max(Environment.ProcessorCount / LocalSize, 1);

    /// <summary>The processes of the job. Initializes MPI at the first use, if the job has several.</summary>
    /// <exception cref="UniFaceException">There is no MPI library, or the launcher is not one of MPI.</exception>
    public static ICommunicator Current
    {
        get
        {
            lock (Gate)
            {
                return current ??= Open();
            }
        }
    }

    /// <summary>True if all ranks end, whatever their exit code, so that none has to be ended by another.</summary>
    public static bool EndsTogether { get; private set; }

    /// <summary>Notes that all ranks end.</summary>
    public static void EndTogether(ICommunicator communicator) => EndsTogether = communicator.Size > 1;

    /// <summary>Ends the job's use of MPI in this process: regularly if all is well or all ranks end, else by ending all ranks.</summary>
    /// <param name="exitCode">The exit code of this process.</param>
    public static void Close(int exitCode)
    {
        lock (Gate)
        {
            if (current is MpiCommunicator mpi)
            {
                if (exitCode == 0 || EndsTogether)
                {
                    if (exitCode != 0)
                    {
                        ExitCodeKeeper.Start();
                    }

                    mpi.Complete();
                }
                else
                {
                    Thread.Sleep(OutputTime);
                    mpi.Abort(exitCode);
                }
            }
        }
    }

    private static ICommunicator Open()
    {
        if (LaunchedSize > 1)
        {
            MpiCommunicator mpi = new();
            return mpi.Size == LaunchedSize ? mpi : throw new UniFaceException(
                $"mpiexec has started {LaunchedSize} processes, and the MPI library knows {mpi.Size}: they belong to different installations. " +
                $"Use the mpiexec of the library, or name the library in {MpiLibrary.PathVariable}.");
        }

        string[] foreign = ["OMPI_COMM_WORLD_SIZE", "WORLD_SIZE"];
        return foreign.FirstOrDefault(variable => Read(variable) > 1) is string other
            ? throw new UniFaceException(
                $"{other} is {Read(other)}, but PMI_SIZE is not set: the launcher is not an mpiexec of MPICH, Intel MPI, MVAPICH or Cray MPI, nor " +
                "an srun with pmi2. Without it every process would train the whole run.")
            : SingleProcess.Instance;
    }

    private static int? Read(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
}
