import AsyncHTTPClient
import ArgumentParser
import WebAPI
@main struct Daybook: AsyncParsableCommand { func run() async throws {} }
