"""The presets of medretrieval::torch in plain torch.nn, with the same names of weights.

Every network takes rows x 1 x side x side, values 0..1, and gives features, hash, logits and reconstruction (or None).
Maps that only explain are left out: whoever writes such a network in Python has none.
"""

import torch
from torch import nn
from torch.nn import functional


def convolution(inputs, outputs, kernel, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


def imagenet_input(grey):
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    return (grey - mean) / torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


class Block(nn.Module):
    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        outputs = 4 * width if bottleneck else width
        narrow = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        layers = narrow if bottleneck else [(inputs, width, 3, stride), (width, width, 3, 1)]
        for number, layer in enumerate(layers, 1):
            setattr(self, f"conv{number}", convolution(*layer))
            setattr(self, f"bn{number}", nn.BatchNorm2d(layer[1]))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, images):
        values = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(images)))))
        if hasattr(self, "conv3"):
            values = self.bn3(self.conv3(self.relu(values)))
        values += images if self.downsample is None else self.downsample(images)
        return self.relu(values)


class ResNet(nn.Module):
    def __init__(self, depth, stages=4):
        super().__init__()
        blocks, bottleneck = {18: ((2, 2, 2, 2), False), 50: ((3, 4, 6, 3), True)}[depth]
        self.conv1, self.bn1, self.channels = convolution(3, 64, 7, 2), nn.BatchNorm2d(64), 64
        self.relu, self.maxpool, self.stages = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1), stages
        for stage in range(stages):
            layers = []
            for block in range(blocks[stage]):
                layers.append(Block(self.channels, 64 << stage, 2 if block == 0 and stage > 0 else 1, bottleneck))
                self.channels = (64 << stage) * (4 if bottleneck else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))

    def forward(self, grey):
        values = self.maxpool(self.relu(self.bn1(self.conv1(imagenet_input(grey)))))
        for stage in range(self.stages):
            values = getattr(self, f"layer{stage + 1}")(values)
        return values


class PlainResNet(nn.Module):
    def __init__(self, bits, classes, depth):
        super().__init__()
        self.backbone = ResNet(depth)
        self.hash0 = nn.Linear(self.backbone.channels, bits)
        self.classifier = nn.Linear(self.backbone.channels, classes)

    def forward(self, images):
        features = self.backbone(images).mean((2, 3))
        return features, self.hash0(features), self.classifier(features), None


class SemanticAttention(nn.Module):
    def __init__(self, bits, classes, features=512):
        super().__init__()
        self.backbone = ResNet(18, 3)
        self.classifier = nn.Linear(self.backbone.channels, classes)
        self.fully_connected = nn.Linear(2 * self.backbone.channels, features)
        self.hash0 = nn.Linear(features, bits)

    @torch.no_grad()
    def attend(self, places, logits):
        maps = functional.conv2d(places, self.classifier.weight[:, :, None, None])
        each = maps.flatten(2).softmax(2)
        return torch.bmm(logits.softmax(1).unsqueeze(1), each).view(len(places), 1, *places.shape[2:])

    def forward(self, images):
        places = self.backbone(images)
        overall = places.mean((2, 3))
        logits = self.classifier(overall)
        local = (self.attend(places, logits) * places).sum((2, 3))
        features = functional.relu(self.fully_connected(torch.cat((overall, local), 1)))
        return features, self.hash0(features), logits, None


class SpatialAttention(nn.Module):
    def __init__(self, nodes=16):
        super().__init__()
        self.perceptron = nn.Sequential(nn.Conv2d(1, nodes, 1), nn.ReLU(), nn.Conv2d(nodes, 1, 1))
        self.convolution = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, places):
        pooled = functional.max_pool2d(places, 3, 1, 1)
        described = (pooled.amax(1, True), pooled.mean(1, True), functional.max_pool2d(pooled, 3, 1, 1).mean(1, True))
        weights = torch.tanh(self.convolution(torch.cat([self.perceptron(each) for each in described], 1)))
        return weights * pooled


class Refinement(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.block = Block(channels, 256, 1, False)

    def forward(self, places):
        return functional.avg_pool2d(self.block(places), 3, 1, 1, count_include_pad=False).mean((2, 3))


class SpatialAttentionResNet(nn.Module):
    def __init__(self, bits, classes, depth, stages, features=256):
        super().__init__()
        self.backbone = ResNet(depth, stages)
        self.global_refinement = Refinement(self.backbone.channels)
        self.attention = SpatialAttention()
        self.local_refinement = Refinement(self.backbone.channels)
        self.fully_connected = nn.Linear(512, features)
        self.hash0 = nn.Linear(features, bits)
        self.classifier = nn.Linear(bits, classes)

    def forward(self, images):
        places = self.backbone(images)
        fused = torch.cat((self.global_refinement(places), self.local_refinement(self.attention(places))), 1)
        features = functional.relu(self.fully_connected(fused))
        hashed = self.hash0(features)
        return features, hashed, self.classifier(hashed), None


class DenseCoder(nn.Module):
    """fcdn: an encoder with three dense blocks, a decoder, codes of layers 4, 17 and 25."""

    def __init__(self, bits, classes, width=16, growth=16, grid=2):
        super().__init__()
        self.grid, self.layers = grid, 0
        channels = 1
        for outputs in (width, width, 2 * width, 2 * width, 4 * width, 4 * width):
            channels = self.plain(channels, outputs)
        for outputs in (4 * width, 4 * width, 8 * width):
            for number in range(3):
                seen = channels + number * growth
                self.add(nn.BatchNorm2d(seen), nn.ReLU(), convolution(seen, growth, 3))
            channels = self.plain(channels + 3 * growth, outputs, 1)
        for outputs in (4 * width, 4 * width, 4 * width, 2 * width, 2 * width, width, width, 2 * width):
            channels = self.plain(channels, outputs)
        self.picture = nn.Conv2d(channels, 1, 1)
        cells = grid * grid
        for number, outputs in enumerate((4 * width, 8 * width, 2 * width)):
            layer = nn.Linear(outputs * cells, bits)
            layer.bias.requires_grad_(False).zero_()
            setattr(self, f"hash{number}", layer)
        self.classifier = nn.Linear(14 * width * cells, classes)

    def add(self, *layers):
        setattr(self, f"layer{self.layers}", nn.Sequential(*layers))
        self.layers += 1

    def plain(self, inputs, outputs, kernel=3):
        self.add(convolution(inputs, outputs, kernel), nn.BatchNorm2d(outputs), nn.ReLU())
        return outputs

    def run(self, layer, values):
        return getattr(self, f"layer{layer}")(values)

    def forward(self, images):
        values = images
        for layer in range(6):
            values = self.run(layer, values)
            shallow = values if layer == 4 else shallow if layer > 4 else None
            values = functional.max_pool2d(values, 2) if layer % 2 else values
        for first in (6, 10, 14):
            for layer in range(first, first + 3):
                values = torch.cat((values, self.run(layer, values)), 1)
            middle = self.run(first + 3, values)
            values = functional.max_pool2d(middle, 2)
        for layer in range(18, 24):
            values = functional.interpolate(values, scale_factor=2, mode="bilinear", align_corners=False)
            values = self.run(layer, values)
        deep = self.run(25, self.run(24, values))
        parts = [functional.adaptive_avg_pool2d(each, self.grid).flatten(1) for each in (shallow, middle, deep)]
        hashed = torch.cat([getattr(self, f"hash{number}")(part) for number, part in enumerate(parts)], 1)
        features = torch.cat(parts, 1)
        return features, hashed, self.classifier(features), self.picture(deep)


class AdditiveAttention(nn.Module):
    def __init__(self, width, nodes=768):
        super().__init__()
        self.hidden, self.score = nn.Linear(width, nodes), nn.Linear(nodes, 1, bias=False)

    def forward(self, steps):
        weights = self.score(torch.tanh(self.hidden(steps))).squeeze(2).softmax(1)
        return torch.bmm(weights.unsqueeze(1), steps).squeeze(1)


class AttentionCnnBilstm(nn.Module):
    def __init__(self, bits, classes, features=1024):
        super().__init__()
        layers, channels = [], 1
        for outputs, kernel, halve in ((64, 5, True), (192, 5, True), (384, 3, False), (256, 3, False), (256, 3, True)):
            layers += [nn.Conv2d(channels, outputs, kernel, padding=kernel // 2), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if halve else []
            channels = outputs
        self.convolutions = nn.Sequential(*layers)
        self.lstm = nn.LSTM(32, 768, batch_first=True, bidirectional=True)
        self.cnn_attention, self.lstm_attention = AdditiveAttention(256), AdditiveAttention(1536)
        self.dropout = nn.Dropout(0.5)
        self.fully_connected = nn.Linear(1792, features)
        self.hash0 = nn.Linear(features, bits)
        self.classifier = nn.Linear(bits, classes)

    def forward(self, grey):
        images = (grey - 0.5) / 0.25
        places = self.cnn_attention(self.convolutions(images).flatten(2).transpose(1, 2))
        steps = self.lstm_attention(self.lstm(images.squeeze(1))[0])
        features = functional.relu(self.fully_connected(self.dropout(torch.cat((places, steps), 1))))
        hashed = self.hash0(features)
        return features, hashed, self.classifier(torch.sigmoid(hashed)), None


class Vgg(nn.Module):
    def __init__(self):
        super().__init__()
        layers, channels = [], 3
        for outputs in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
            if outputs == 0:
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU(inplace=True)]
                channels = outputs
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Linear(25088, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
                                        nn.Linear(4096, 4096), nn.ReLU(inplace=True))

    def forward(self, grey):
        places = functional.adaptive_avg_pool2d(self.features(imagenet_input(grey)), 7)
        return self.classifier(places.flatten(1))


class Vgg16(nn.Module):
    def __init__(self, bits, classes):
        super().__init__()
        self.backbone, self.dropout = Vgg(), nn.Dropout(0.5)
        self.hash0, self.classifier = nn.Linear(4096, bits), nn.Linear(4096, classes)

    def forward(self, images):
        features = self.backbone(images)
        return features, self.hash0(features), self.classifier(self.dropout(features)), None


PRESETS = {
    "attention-cnn-bilstm": AttentionCnnBilstm,
    "semantic-attention": SemanticAttention,
    "fcdn": DenseCoder,
    "spatial-attention-resnet18": lambda bits, classes: SpatialAttentionResNet(bits, classes, 18, 3),
    "spatial-attention-resnet": lambda bits, classes: SpatialAttentionResNet(bits, classes, 50, 4),
    "resnet18": lambda bits, classes: PlainResNet(bits, classes, 18),
    "resnet50": lambda bits, classes: PlainResNet(bits, classes, 50),
    "vgg16": Vgg16,
}
