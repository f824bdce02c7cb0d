namespace UniFace.Training.FineTuning;

/// <summary>
/// The first weights of a student that is a narrower MobileFaceNet than its teacher. Layer after layer, on the training images and from what
/// the student's layers so far give: the maps between the blocks keep the principal directions of the teacher's (they are sums of linear
/// outputs, so any basis will do); within a block the channels are chosen from which its output follows best; and every convolution of 1x1 is the
/// regression of the teacher's outputs on the student's inputs, which makes good part of the errors before it (after He et al. 2017,
/// "Channel Pruning for Accelerating Very Deep Neural Networks"). Every pixel of every map is an example, so a few hundred photos are enough.
/// </summary>
internal sealed class Narrowing
{
    private const int Photos = 768, Chunk = 32;
    private const double Ridge = 1e-4;

    /// <summary>The embedding has one example per photo, so it stays closer to the teacher's weights.</summary>
    private const double EmbeddingRidge = 0.1;

    private readonly TapeEngine engine = new(records: false);
    private readonly CancellationToken cancellationToken;
    private readonly Tensor[] teacherMaps; // [Chunk, C, h, w] each
    private readonly Tensor[] studentMaps;

    private Narrowing(IEnumerable<Tensor> images, CancellationToken cancellationToken)
    {
        teacherMaps = [.. images];
        studentMaps = [.. teacherMaps.Select(map => map.alias())];
        this.cancellationToken = cancellationToken;
    }

    /// <summary>Sets the weights of a student.</summary>
    /// <param name="options">Its teacher.</param>
    /// <param name="projection">From the teacher's embeddings to the student's, [T, D] in rows; null if the sizes are equal.</param>
    /// <param name="student">Receives the weights.</param>
    /// <param name="images">Number of training images.</param>
    /// <param name="load">Decodes one.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="UniFaceException">The student is not a narrower network of the teacher's family and input.</exception>
    public static void Run(
        TeacherOptions options, float[]? projection, Backbone student, int images, Func<int, RgbImage> load, CancellationToken cancellationToken)
    {
        using NoGradScope scope = new();
        using StartWeights start = StartWeights.Open(options.Package);
        BackboneSpec from = start.Backbone.Spec, to = student.Spec;
        if (from.Name != MobileFaceNet.Name || to.Name != from.Name || to.Width > from.Width
            || start.Options.Manifest.CreateTemplate() != BackboneRegistry.Manifest(to).CreateTemplate())
        {
            throw new UniFaceException(
                $"a student {to} cannot start from the narrowed weights of {options.Package}, which is {from}: both must be a {MobileFaceNet.Name} " +
                $"of the same alignment template, and the student not wider; choose such a student, or the random start.");
        }

        bool training = student.training;
        student.eval();
        start.Backbone.eval();
        using Generator random = new(1);
        long[] chosen = randperm(images, generator: random).data<long>().ToArray()[..Math.Min(images, Photos)];
        Narrowing narrowing = new(chosen.Chunk(Chunk).Select(chunk => student.Input.ToBatch([.. chunk.Select(i => load((int)i))])), cancellationToken);
        narrowing.Layers(((LayeredBackbone)start.Backbone).Layers, ((LayeredBackbone)student).Layers, projection, from.EmbeddingSize);
        student.train(training);
    }

    /// <summary>A map as samples of its channels, [B * h * w, C].</summary>
    private static Tensor Samples(Tensor map) => map.permute(0, 2, 3, 1).reshape(-1, map.shape[1]);

    private void Layers(IReadOnlyList<Layer> from, IReadOnlyList<Layer> to, float[]? projection, int embeddingSize)
    {
        const int FirstBlock = 4, AfterBlocks = 4; // convolution, PReLU, depthwise convolution, PReLU
        Bottleneck[] teacher = [.. from.Skip(FirstBlock).SkipLast(AfterBlocks).Select(Bottleneck.Of)];
        Bottleneck[] student = [.. to.Skip(FirstBlock).SkipLast(AfterBlocks).Select(Bottleneck.Of)];
        Stem(from, to, teacher[0].Expand.Fold().Weight.flatten(1));
        for (int first = 0; first < teacher.Length;)
        {
            int end = first + 1 + teacher.Skip(first + 1).TakeWhile(block => block.Adds).Count();
            Tensor basis = Basis(teacher[first..end], (int)student[first].Project.Fold().Shift.shape[0]);
            for (; first < end; first++)
            {
                Block(teacher[first], student[first], basis);
            }
        }

        Embedding([.. from.TakeLast(AfterBlocks)], [.. to.TakeLast(AfterBlocks)], projection, embeddingSize);
    }

    private void Stem(IReadOnlyList<Layer> from, IReadOnlyList<Layer> to, Tensor consumer)
    {
        (ConvNorm first, PRelu slope, ConvNorm depthwise, PRelu second) = ((ConvNorm)from[0], (PRelu)from[1], (ConvNorm)from[2], (PRelu)from[3]);
        int channels = (int)((PRelu)to[1]).Slope.shape[0];
        LinearFit moments = new((int)consumer.shape[1], 0);
        Replace(teacherMaps, map => depthwise.Run(first.Run(map, engine, slope, null), engine, second, null), moments.Add);
        using Tensor keep = tensor(ChannelSelection.Choose(moments.Covariance, consumer, channels));
        CopyChannels(first, (ConvNorm)to[0], slope, (PRelu)to[1], keep);
        ((ConvNorm)to[0]).SetStatistics(studentMaps);
        Replace(studentMaps, map => ((ConvNorm)to[0]).Run(map, engine, (PRelu)to[1], null));
        CopyChannels(depthwise, (ConvNorm)to[2], second, (PRelu)to[3], keep);
        ((ConvNorm)to[2]).SetStatistics(studentMaps);
        Replace(studentMaps, map => ((ConvNorm)to[2]).Run(map, engine, (PRelu)to[3], null));
    }

    /// <summary>The principal directions of the maps after blocks that add to each other, [C, count].</summary>
    private Tensor Basis(Bottleneck[] blocks, int count)
    {
        int channels = (int)blocks[0].Project.Fold().Shift.shape[0];
        if (count == channels)
        {
            return eye(channels);
        }

        LinearFit moments = new(channels, 0);
        foreach (Tensor input in teacherMaps)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor map = input;
            foreach (Bottleneck block in blocks)
            {
                map = block.Run(map, engine);
                moments.Add(Samples(map));
            }
        }

        (_, Tensor vectors) = linalg.eigh(moments.Covariance); // ascending eigenvalues, [C, C]
        return vectors[TensorIndex.Colon, TensorIndex.Slice(channels - count)].to(ScalarType.Float32);
    }

    private void Block(Bottleneck from, Bottleneck to, Tensor basis)
    {
        (Tensor project, _) = from.Project.Fold(); // [C, E, 1, 1]
        int expanded = (int)project.shape[1];
        LinearFit expand = new((int)studentMaps[0].shape[1], expanded), moments = new(expanded, 0);
        ForEach(i =>
        {
            Tensor outputs = from.Expand.Run(teacherMaps[i], engine);
            expand.Add(Samples(studentMaps[i]), Samples(outputs));
            moments.Add(Samples(from.Depthwise.Run(from.First.Run(outputs, engine), engine, from.Second, null)));
        });
        Tensor consumer = basis.t().to(ScalarType.Float64).mm(project.flatten(1)); // [c, E]
        using Tensor keep = tensor(ChannelSelection.Choose(moments.Covariance, consumer, (int)to.First.Slope.shape[0]));
        (Tensor weight, Tensor shift) = expand.Solve(Ridge);
        to.Expand.SetFolded(weight.index_select(0, keep), shift.index_select(0, keep));
        to.Expand.SetStatistics(studentMaps);
        to.First.Slope.copy_(from.First.Slope.index_select(0, keep));
        CopyChannels(from.Depthwise, to.Depthwise, from.Second, to.Second, keep);
        to.Depthwise.SetStatistics(studentMaps.Select(map => to.Expand.Run(map, engine, to.First, null)));

        Replace(teacherMaps, map => from.Run(map, engine));
        LinearFit output = new((int)to.First.Slope.shape[0], (int)basis.shape[1]);
        ForEach(i =>
        {
            Tensor target = Samples(teacherMaps[i]).mm(basis);
            output.Add(Samples(to.RunInner(studentMaps[i], engine)), from.Adds ? target - Samples(studentMaps[i]) : target);
        });
        (weight, shift) = output.Solve(Ridge);
        to.Project.SetFolded(weight, shift);
        to.Project.SetStatistics(studentMaps.Select(map => to.RunInner(map, engine)));
        Replace(studentMaps, map => to.Run(map, engine));
    }

    private void Embedding(Layer[] from, Layer[] to, float[]? projection, int embeddingSize)
    {
        (ConvNorm teacherFirst, ConvNorm first, PRelu slope) = ((ConvNorm)from[0], (ConvNorm)to[0], (PRelu)to[1]);
        LinearFit fit = new((int)studentMaps[0].shape[1], (int)slope.Slope.shape[0]);
        ForEach(i => fit.Add(Samples(studentMaps[i]), Samples(teacherFirst.Run(teacherMaps[i], engine))));
        (Tensor weight, Tensor shift) = fit.Solve(Ridge);
        first.SetFolded(weight, shift);
        first.SetStatistics(studentMaps);
        slope.Slope.copy_(((PRelu)from[1]).Slope);
        Replace(studentMaps, map => first.Run(map, engine, slope, null));
        Replace(teacherMaps, map => teacherFirst.Run(map, engine, (PRelu)from[1], null));

        (ConvNorm depthwise, ConvNorm teacherDepthwise) = ((ConvNorm)to[2], (ConvNorm)from[2]);
        (weight, shift) = teacherDepthwise.Fold();
        depthwise.SetFolded(weight, shift);
        depthwise.SetStatistics(studentMaps);
        Replace(studentMaps, map => depthwise.Run(map, engine));
        Replace(teacherMaps, map => teacherDepthwise.Run(map, engine));

        EmbeddingHead teacher = (EmbeddingHead)from[3], student = (EmbeddingHead)to[3];
        Tensor toStudent = projection is null ? eye(embeddingSize) : tensor(projection).view(embeddingSize, -1); // [T, D]
        LinearFit embedding = new((int)depthwise.Fold().Shift.shape[0], (int)toStudent.shape[1]);
        ForEach(i => embedding.Add(Samples(studentMaps[i]), teacher.Run(teacherMaps[i], engine).mm(toStudent)));
        Tensor prior = toStudent.t().to(ScalarType.Float64).mm(teacher.Fold().Weight); // [D, C]
        (weight, shift) = embedding.Solve(EmbeddingRidge, prior);
        (Tensor mean, Tensor variance) = embedding.Statistics(weight);
        student.SetFolded(weight, shift);
        student.SetStatistics(mean, variance);
    }

    /// <summary>Copies channels of a convolution whose inputs are the same for both, or a channel each, and their slopes.</summary>
    private static void CopyChannels(ConvNorm from, ConvNorm to, PRelu fromSlope, PRelu toSlope, Tensor keep)
    {
        (Tensor weight, Tensor shift) = from.Fold();
        to.SetFolded(weight.index_select(0, keep), shift.index_select(0, keep));
        toSlope.Slope.copy_(fromSlope.Slope.index_select(0, keep));
    }

    private void ForEach(Action<int> action)
    {
        for (int i = 0; i < teacherMaps.Length; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            cancellationToken.ThrowIfCancellationRequested();
            action(i);
        }
    }

    private static void Replace(Tensor[] maps, Func<Tensor, Tensor> layer, Action<Tensor>? observe = null)
    {
        for (int i = 0; i < maps.Length; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor map = layer(maps[i]);
            observe?.Invoke(Samples(map));
            maps[i].Dispose();
            maps[i] = map.MoveToOuterDisposeScope();
        }
    }

    /// <summary>The layers of a block.</summary>
    private sealed record Bottleneck(Layer Whole, ConvNorm Expand, PRelu First, ConvNorm Depthwise, PRelu Second, ConvNorm Project)
    {
        /// <summary>True: the block's output is added to its input.</summary>
        public bool Adds => Whole is Residual;

        public static Bottleneck Of(Layer layer)
        {
            IReadOnlyList<Layer> parts = layer is Residual residual ? residual.Body.Layers : ((Chain)layer).Layers;
            return new Bottleneck(layer, (ConvNorm)parts[0], (PRelu)parts[1], (ConvNorm)parts[2], (PRelu)parts[3], (ConvNorm)parts[4]);
        }

        public Tensor Run(Tensor input, GradientEngine engine) => Whole.Run(input, engine);

        /// <summary>Up to the last convolution.</summary>
        public Tensor RunInner(Tensor input, GradientEngine engine) => Depthwise.Run(Expand.Run(input, engine, First, null), engine, Second, null);
    }
}
