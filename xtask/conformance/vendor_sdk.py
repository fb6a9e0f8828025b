"""The vendor's SDK for DataArts Fabric, unmodified, as its documentation shows it, against the mock server.

The environment has the key, and the endpoints of the region and of the identity service, by the SDK's own
names. Argument: the endpoint of the mock server, for its control surface.
"""

import inspect
import os
import re
import sys
import uuid

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import (
    ClientRequestException,
    SdkException,
    ServerResponseException,
)
from huaweicloudsdkdataartsfabric.v1 import *
from huaweicloudsdkdataartsfabric.v1.region.dataartsfabric_region import DataArtsFabricRegion

from control import advance_clock, answer_once

# The records that have states stay in each for 30 seconds.
LONG_ENOUGH = "1m"
# What the mock server knows beside the key of the environment: a key that may only list workspaces.
READER = ("AKIDREADER", "the-secret-of-a-reader")
REQUEST_ID = re.compile(r"[0-9a-f-]{36}-\d+-.+")


def build(clazz, ak, sk, project_id=None):
    """A client of the region, as the SDK's documentation builds it. Without a project the SDK looks it up."""
    credentials = BasicCredentials(ak, sk, project_id)
    builder = clazz.new_builder().with_credentials(credentials)
    return builder.with_region(DataArtsFabricRegion.value_of("cn-north-4")).build()


def holds(answered, asked):
    """Checks that everything that was asked for is in the answer, at any depth."""
    if isinstance(asked, list):
        assert len(answered) == len(asked), (answered, asked)
        for answered_item, asked_item in zip(answered, asked):
            holds(answered_item, asked_item)
    elif getattr(asked, "openapi_types", None):
        for attribute in asked.openapi_types:
            if getattr(asked, attribute) is not None:
                holds(getattr(answered, attribute), getattr(asked, attribute))
    else:
        assert answered == asked, (answered, asked)


class Run:
    """Calls operations, and keeps what was asserted for each."""

    def __init__(self, client):
        self.client = client
        self.asserted = {}

    def call(self, operation, request, status=200):
        answer = getattr(self.client, operation)(request)
        assert answer.status_code == status, (operation, answer.status_code)
        if "x_request_id" in answer.openapi_types:
            assert REQUEST_ID.fullmatch(answer.x_request_id), (operation, answer.x_request_id)
        return answer

    def note(self, operation, what):
        """Keeps what was asserted for an operation, once it was."""
        notes = self.asserted.setdefault(operation, [])
        if what not in notes:
            notes.append(what)


def fails(kind, status, code, beginning, call, *arguments):
    """Checks how the SDK reports a failure."""
    try:
        call(*arguments)
    except kind as error:
        assert error.status_code == status, error
        assert error.error_code == code, (error.error_code, code)
        assert error.error_msg.startswith(beginning), error
        return error
    raise AssertionError(f"{arguments} was let in")


def is_gone(call, *arguments):
    return fails(ClientRequestException, 404, "common.01000001", "response status", call, *arguments)


def workspaces(run):
    asked = CreateWorkspaceRequestInput(
        name="from_python-sdk", description="für die Prüfung 客户端", metastore_id=str(uuid.uuid4())
    )
    created = run.call("create_workspace", CreateWorkspaceRequest(body=asked))
    holds(created, asked)
    assert created.id and created.create_time and created.access_url, created
    run.note("create_workspace", "fields as asked; an id, a time and a URL")
    other = run.call("create_workspace", CreateWorkspaceRequest(CreateWorkspaceRequestInput("another")))

    listed = run.call("list_workspaces", ListWorkspacesRequest(id=created.id, name="python"))
    assert [found.id for found in listed.workspaces] == [created.id], listed
    holds(listed.workspaces[0], asked)
    page = run.call("list_workspaces", ListWorkspacesRequest(offset=1, limit=1))
    assert [found.id for found in page.workspaces] == [created.id] and page.total == 2, page
    run.note("list_workspaces", "filtered by id and name; the second page, newest first, of a total of 2")

    asked = UpdateWorkspaceRequestInput(name="renamed", description="changed")
    updated = run.call("update_workspace", UpdateWorkspaceRequest(created.id, asked))
    holds(updated, asked)
    assert updated.id == created.id and updated.metastore_id == created.metastore_id, updated
    run.note("update_workspace", "fields as asked; those not asked for stay")

    run.call("delete_workspace", DeleteWorkspaceRequest(other.id))
    listed = run.call("list_workspaces", ListWorkspacesRequest())
    assert [found.id for found in listed.workspaces] == [created.id], listed
    is_gone(run.client.delete_workspace, DeleteWorkspaceRequest(other.id))
    run.note("delete_workspace", "no longer listed; 404 the second time")
    return created.id


def tags(run, workspace):
    def of_workspace():
        answer = run.call("list_fabric_workspace_tags", ListFabricWorkspaceTagsRequest(workspace))
        return {tag.key: tag.value for tag in answer.tags}

    def create(*pairs):
        body = BatchCreateTagsRequestBody(tags=[ResourceTag(key, value) for key, value in pairs])
        request = BatchCreateFabricWorkspaceTagsRequest(workspace, body)
        run.call("batch_create_fabric_workspace_tags", request, status=204)

    def matching(value):
        body = ListTagWorkspacesRequestBody(tags=[ResourceTagParam("stage", [value])])
        filtered = run.call("list_tag_fabric_workspaces", ListTagFabricWorkspacesRequest(body=body))
        counted = run.call("count_tag_fabric_workspaces", CountTagFabricWorkspacesRequest(body=body))
        assert counted.total_count == filtered.total_count == len(filtered.resources), counted
        return filtered.resources

    create(("team", "data"), ("stage", "test"))
    assert of_workspace() == {"team": "data", "stage": "test"}
    create(("stage", "läuft"))
    assert of_workspace() == {"team": "data", "stage": "läuft"}
    run.note("batch_create_fabric_workspace_tags", "listed afterwards; the last value of a key wins")
    run.note("list_fabric_workspace_tags", "the tags as created, changed and deleted")

    listed = run.call("list_fabric_project_tags", ListFabricProjectTagsRequest(use_predefine_tags=False))
    values = {tag.key: tag.values for tag in listed.tags}
    assert values == {"team": ["data"], "stage": ["läuft"]}, values
    run.note("list_fabric_project_tags", "each key with its values")

    (found,) = matching("läuft")
    assert (found.resource_id, found.resource_name) == (workspace, "renamed"), found
    assert {tag.key: tag.value for tag in found.tags} == of_workspace(), found
    assert matching("test") == []
    run.note("list_tag_fabric_workspaces", "the workspace by its tag, with name and tags; none by an old value")
    run.note("count_tag_fabric_workspaces", "equal to the list: 1 and 0")

    body = BatchDeleteTagsRequestBody(tags=[DeleteResourceTag("stage")])
    run.call("batch_delete_fabric_workspace_tags", BatchDeleteFabricWorkspaceTagsRequest(workspace, body))
    assert of_workspace() == {"team": "data"}
    run.note("batch_delete_fabric_workspace_tags", "no longer listed; the other tag is")


def catalogues(run):
    features = run.call("list_features", ListFeaturesRequest(limit=100))
    assert features.total == len(features.configs) > 0, features
    assert all(feature.key and feature.value for feature in features.configs), features
    run.note("list_features", "keys with values, as many as the total")

    specs = run.call("list_specs", ListSpecsRequest(limit=100))
    assert specs.total == len(specs.spec_codes) > 0, specs
    chosen = specs.spec_codes[0].spec_code
    (one,) = run.call("list_specs", ListSpecsRequest(spec_code=chosen)).spec_codes
    assert one.spec_code == chosen and one.spec_type in vars(SpecType).values(), one
    some = run.call("list_specs", ListSpecsRequest(spec_types=["MU", "DPU"], limit=100)).spec_codes
    assert {spec.spec_type for spec in some} <= {"MU", "DPU"} and some, some
    run.note("list_specs", "all, one by its code, some by two types")

    models = run.call("list_base_models", ListBaseModelsRequest(limit=100))
    assert models.total == len(models.models) > 0, models
    model = models.models[0]
    assert model.base_model_type and model.max_tokens > 0 and model.num_of_mu > 0, model
    run.note("list_base_models", "type, tokens and MU of each, as many as the total")
    return chosen, model.base_model_type


def agreements(run):
    rules = run.call("show_agreement_rule", ShowAgreementRuleRequest()).agreement_rules
    assert rules and all(rule.agreement_name and rule.agreement_version for rule in rules), rules
    run.note("show_agreement_rule", "rules with name and version")
    assert not run.call("show_agreement", ShowAgreementRequest()).agreements
    asked = [TenantAgreement(rules[0].agreement_name, rules[0].agreement_version)]
    run.call("create_agreement", CreateAgreementRequest(TenantAgreementBody(asked)))
    holds(run.call("show_agreement", ShowAgreementRequest()).agreements, asked)
    run.note("create_agreement", "shown afterwards")
    run.note("show_agreement", "the agreement as made; none before and after")
    run.call("delete_agreement", DeleteAgreementRequest())
    assert not run.call("show_agreement", ShowAgreementRequest()).agreements
    run.note("delete_agreement", "no longer shown")


def agencies(run):
    policy = "FABRIC_SMN_POLICY"

    def is_enabled():
        agency = run.call("list_agency", ListAgencyRequest())
        assert agency.agency_name and agency.authorized in (True, False), agency
        (found,) = [it for it in agency.agency_policies if it.policy_type == policy]
        assert found.actions and found.description, found
        return found.is_enable

    assert not is_enabled()
    run.call("create_agency", CreateAgencyRequest(AgencyTypeBody([policy])))
    assert is_enabled()
    run.note("create_agency", "the policy is enabled afterwards")
    run.call("delete_agency", DeleteAgencyRequest(policy))
    assert not is_enabled()
    run.note("delete_agency", "the policy is disabled afterwards")
    run.note("list_agency", "name, policies with actions, and whether each is enabled")


def endpoints(run, control, workspace, spec):
    def show(endpoint):
        return run.call("show_endpoint", ShowEndpointRequest(workspace, endpoint))

    worker = WorkNodeResourceDemand("worker-1", ResourceDemand(spec, 0, 3))
    asked = EndpointInput(
        name="endpoint 一号",
        description="from Python",
        type=EndpointType.RAY,
        ray_resource=RayResourceInput(HeadNodeResourceDemand(spec), [worker]),
        reserved_resource=ReservedResource(mu=ResourceDemand(spec, 1, 4)),
    )
    created = run.call("create_endpoint", CreateEndpointRequest(workspace, asked), status=202)
    for attribute in ["name", "description", "type", "reserved_resource"]:
        holds(getattr(created, attribute), getattr(asked, attribute))
    assert created.ray_resource.head_group_spec.spec_code == spec, created
    assert created.status == EndpointStatus.CREATING and created.owner, created
    run.note("create_endpoint", "fields and resources as asked; CREATING")

    endpoint = created.id
    assert show(endpoint).status == EndpointStatus.CREATING
    advance_clock(control, LONG_ENOUGH)
    shown = show(endpoint)
    assert shown.status == EndpointStatus.RUNNING and shown.name == asked.name, shown
    run.note("show_endpoint", "CREATING, RUNNING, UPDATING and DELETING by the clock; 404 in the end")

    request = ListEndpointsRequest(workspace, name="一号", type=EndpointType.RAY)
    listed = run.call("list_endpoints", request)
    assert [found.id for found in listed.endpoints] == [endpoint] and listed.total == 1, listed
    assert listed.endpoints[0].status == EndpointStatus.RUNNING, listed
    none = run.call("list_endpoints", ListEndpointsRequest(workspace, type=EndpointType.SQL))
    assert none.endpoints == [] and none.total == 0, none
    run.note("list_endpoints", "by name and type, with status; none of another type")

    asked = UpdateEndpointRequestBody(name="renamed", description="changed")
    updated = run.call("update_endpoint", UpdateEndpointRequest(workspace, endpoint, asked), status=202)
    assert updated.id == endpoint and show(endpoint).status == EndpointStatus.UPDATING, updated
    advance_clock(control, LONG_ENOUGH)
    shown = show(endpoint)
    holds(shown, asked)
    assert shown.status == EndpointStatus.RUNNING, shown
    run.note("update_endpoint", "UPDATING, then RUNNING with the fields as asked")

    subscribe = run.client.subscribe_endpoint
    private = SubscribeEndpointRequest(workspace, endpoint)
    fails(ClientRequestException, 400, "common.01000001", "failed to read", subscribe, private)
    is_gone(subscribe, SubscribeEndpointRequest(workspace, str(uuid.uuid4())))
    run.note("subscribe_endpoint", "400 for a private endpoint, 404 for an unknown one")
    return endpoint


def public_endpoint(run, control):
    """The endpoint that is there from the start is subscribed to, and then deleted with its workspace."""
    (workspace,) = run.call("list_workspaces", ListWorkspacesRequest()).workspaces
    (found,) = run.call("list_endpoints", ListEndpointsRequest(workspace.id)).endpoints
    assert found.status == EndpointStatus.INACTIVE, found
    run.call("subscribe_endpoint", SubscribeEndpointRequest(workspace.id, found.id))
    shown = run.call("show_endpoint", ShowEndpointRequest(workspace.id, found.id))
    assert shown.status == EndpointStatus.RUNNING, shown
    run.note("subscribe_endpoint", "a public endpoint that was INACTIVE is RUNNING")
    delete_endpoint(run, control, workspace.id, found.id)
    run.call("delete_workspace", DeleteWorkspaceRequest(workspace.id))


def delete_endpoint(run, control, workspace, endpoint):
    request = DeleteEndpointRequest(workspace, endpoint)
    assert run.call("delete_endpoint", request, status=202).id == endpoint
    shown = run.call("show_endpoint", ShowEndpointRequest(workspace, endpoint))
    assert shown.status == EndpointStatus.DELETING, shown
    advance_clock(control, LONG_ENOUGH)
    is_gone(run.client.show_endpoint, ShowEndpointRequest(workspace, endpoint))
    assert run.call("list_endpoints", ListEndpointsRequest(workspace)).total == 0
    run.note("delete_endpoint", "its id; DELETING, then 404 and no longer listed")


def jobs(run, workspace, endpoint):
    def version(name, entrypoint):
        runtime = RuntimeEnv(env_vars={"STAGE": "test"}, pip=["numpy"])
        ray = RayJobConfig(entrypoint=entrypoint, entrypoint_num_cpus=1.5, runtime_env=runtime)
        config = JobConfig(ray_job_config=ray, timeout_seconds=60, max_retries=2, queue=False)
        return JobVersionInput(name=name, description="eine Fassung", config=config)

    def versions():
        request = ListJobVersionsRequest(workspace, job, limit=100)
        answer = run.call("list_job_versions", request)
        assert answer.total == len(answer.versions), answer
        return {found.id: found for found in answer.versions}

    asked = CreateJobInput(
        name="job-1",
        description="from Python",
        type=JobType.RAY_JOB,
        version=version("v1", "python main.py"),
        current_endpoint_id=endpoint,
    )
    created = run.call("create_job", CreateJobRequest(workspace, asked), status=202)
    job, first = created.id, created.version_id
    request = ListJobsRequest(workspace, id=job, name="job", type="RAY_JOB", endpoint_id=endpoint)
    listed = run.call("list_jobs", request)
    (found,) = listed.jobs
    for attribute in ["name", "description", "type", "current_endpoint_id"]:
        holds(getattr(found, attribute), getattr(asked, attribute))
    holds(found.current_version, asked.version)
    assert (found.id, found.workspace_id, listed.total) == (job, workspace, 1), listed
    run.note("create_job", "listed with all fields and the first version as asked")
    none = run.call("list_jobs", ListJobsRequest(workspace, type="SPARK_JOB"))
    assert none.total == 0 and none.jobs == [], none
    run.note("list_jobs", "by id, name, type and endpoint; none of another type")

    changed = UpdateJobInput(name="job-2", version=version("v2", "python other.py"))
    updated = run.call("update_job", UpdateJobRequest(job, workspace, changed), status=202)
    second = updated.version_id
    assert updated.id == job and second != first, updated
    (found,) = run.call("list_jobs", ListJobsRequest(workspace, id=job)).jobs
    assert found.name == "job-2" and found.description == "from Python", found
    run.note("update_job", "the new name, and a second version")

    assert set(versions()) == {first, second}
    holds(versions()[first], asked.version)
    holds(versions()[second], changed.version)
    request = ListJobVersionsRequest(workspace, job, name="v2")
    assert [it.id for it in run.call("list_job_versions", request).versions] == [second]
    run.note("list_job_versions", "both versions as asked; one by its name")

    back = UpdateJobInput(current_version_id=second)
    run.call("update_job", UpdateJobRequest(job, workspace, back), status=202)
    run.call("delete_job_version", DeleteJobVersionRequest(workspace, job, first), status=202)
    assert set(versions()) == {second}
    run.note("delete_job_version", "no longer listed; the other is")

    run.call("delete_job", DeleteJobRequest(workspace, job))
    assert run.call("list_jobs", ListJobsRequest(workspace)).total == 0
    is_gone(run.client.list_job_versions, ListJobVersionsRequest(workspace, job))
    run.note("delete_job", "no longer listed, and its versions are 404")


def messages(run, workspace):
    asked = CreateMessageNotificationPolicy("job", "ray_job*", ["SUCCESS", "FAILED"], "smn:topic:1")
    body = CreateMessageNotificationPolicyRequestBody([asked])
    request = CreateMessageNotificationPolicyRequest(workspace, body)
    created = run.call("create_message_notification_policy", request)
    holds(created, asked)
    run.note("create_message_notification_policy", "fields as asked, and an id")

    request = ListMessageNotificationPolicyRequest(workspace, name_pattern="ray_job", notify_type="FAILED")
    listed = run.call("list_message_notification_policy", request)
    assert listed.total == 1 and listed.policies[0].id == created.id, listed
    holds(listed.policies[0], asked)
    run.note("list_message_notification_policy", "by pattern and type, fields as asked")

    request = DeleteMessageNotificationPolicyRequest(created.id, workspace)
    run.call("delete_message_notification_policy", request)
    request = ListMessageNotificationPolicyRequest(workspace)
    assert run.call("list_message_notification_policy", request).total == 0
    run.note("delete_message_notification_policy", "no longer listed")


def models(run, workspace, base_model):
    def version(name):
        config = LlmModelConfig(base_model, f"obs://bucket/models/{name}/")
        return ModelVersionInput(name=name, description="eine Fassung", config=ModelConfig(config))

    def versions():
        request = ListModelVersionsRequest(workspace, model, limit=100)
        answer = run.call("list_model_versions", request)
        assert answer.total == len(answer.versions), answer
        return {found.id: found for found in answer.versions}

    asked = CreateModelInput(
        name="model 1", description="from Python", type=ModelType.LLM_MODEL, version=version("first")
    )
    created = run.call("create_model_definition", CreateModelDefinitionRequest(workspace, asked))
    model, first = created.id, created.version_id
    listed = run.call("list_models", ListModelsRequest(workspace, id=model, type="LLM_MODEL"))
    (found,) = listed.models
    for attribute in ["name", "description", "type"]:
        holds(getattr(found, attribute), getattr(asked, attribute))
    holds(found.current_version, asked.version)
    assert found.id == model and listed.total == 1, listed
    run.note("create_model_definition", "listed with all fields and the first version as asked")
    assert run.call("list_models", ListModelsRequest(workspace, name="other")).total == 0
    run.note("list_models", "by id and type; none by another name")

    changed = UpdateModelInput(name="model 2", description="changed", version=version("second"))
    request = UpdateModelDefinitionRequest(workspace, model, changed)
    updated = run.call("update_model_definition", request)
    assert (updated.id, updated.name, updated.description) == (model, "model 2", "changed"), updated
    assert updated.type == ModelType.LLM_MODEL, updated
    run.note("update_model_definition", "name, description and the new version as asked")

    (second,) = set(versions()) - {first}
    assert len(versions()) == 2
    holds(versions()[first], asked.version)
    holds(versions()[second], changed.version)
    request = ListModelVersionsRequest(workspace, model, name="second")
    assert [it.id for it in run.call("list_model_versions", request).versions] == [second]
    run.note("list_model_versions", "both versions as asked; one by its name")

    back = UpdateModelInput(current_version_id=second)
    updated = run.call("update_model_definition", UpdateModelDefinitionRequest(workspace, model, back))
    holds(updated.current_version, changed.version)
    run.call("delete_model_version", DeleteModelVersionRequest(workspace, model, first), status=202)
    assert set(versions()) == {second}
    run.note("delete_model_version", "no longer listed; the other is")

    run.call("cleanup_model", CleanupModelRequest(workspace, model))
    assert run.call("list_models", ListModelsRequest(workspace)).total == 0
    is_gone(run.client.list_model_versions, ListModelVersionsRequest(workspace, model))
    run.note("cleanup_model", "no longer listed, and its versions are 404")


def all_operations(run, control):
    run.call("show_admin_health_check", ShowAdminHealthCheckRequest())
    run.note("show_admin_health_check", "success")
    public_endpoint(run, control)
    workspace = workspaces(run)
    tags(run, workspace)
    metrics = UpdateMetricsConfigRequest(workspace, UpdateMetricsConfigInput(True))
    run.call("update_metrics_config", metrics)
    unknown = UpdateMetricsConfigRequest(str(uuid.uuid4()), UpdateMetricsConfigInput(False))
    is_gone(run.client.update_metrics_config, unknown)
    run.note("update_metrics_config", "success; 404 for an unknown workspace")
    spec, base_model = catalogues(run)
    agreements(run)
    agencies(run)
    endpoint = endpoints(run, control, workspace, spec)
    jobs(run, workspace, endpoint)
    messages(run, workspace)
    models(run, workspace, base_model)
    try:
        run.client.delete_workspace(DeleteWorkspaceRequest(workspace))
    except ClientRequestException as error:
        assert error.status_code == 400, error
    else:
        raise AssertionError("a workspace with an endpoint was deleted")
    run.note("delete_workspace", "400 while there is an endpoint in it")
    delete_endpoint(run, control, workspace, endpoint)
    run.call("delete_workspace", DeleteWorkspaceRequest(workspace))
    assert run.call("list_workspaces", ListWorkspacesRequest()).total == 0


def errors(client, control, key):
    """Every kind of failure as an exception of the SDK."""
    rejected, broken = ClientRequestException, ServerResponseException
    invalid = CreateWorkspaceRequest(CreateWorkspaceRequestInput("no blanks"))
    beginning = "failed to read http request, please check your input, code: 400, reason: "
    error = fails(rejected, 400, "common.01000001", beginning, client.create_workspace, invalid)
    assert "name" in error.error_msg and REQUEST_ID.fullmatch(error.request_id), error

    beginning = "Incorrect IAM authentication information: "
    project_id = client.get_credentials().project_id
    stranger = ("AKIDNOBODY", key[1])
    # Without a project the SDK looks it up, is rejected there, and says so in an error of its own.
    try:
        build(DataArtsFabricClient, *stranger)
    except SdkException as error:
        assert "status_code:401" in error.error_msg, error
    else:
        raise AssertionError("a key that nobody knows has a project")
    for wrong in [stranger, (key[0], "not-the-secret")]:
        call = build(DataArtsFabricClient, *wrong, project_id).list_workspaces
        fails(rejected, 401, "APIG.0301", beginning, call, ListWorkspacesRequest())

    reader = build(DataArtsFabricClient, *READER, project_id)
    assert reader.list_workspaces(ListWorkspacesRequest()).total == 0
    valid = CreateWorkspaceRequest(CreateWorkspaceRequestInput("not_allowed"))
    fails(rejected, 403, 403, "X-Auth-Token is invalid", reader.create_workspace, valid)

    update = UpdateWorkspaceRequestInput(name="nobody")
    is_gone(client.update_workspace, UpdateWorkspaceRequest(str(uuid.uuid4()), update))

    for kind, status, code, beginning in [
        (rejected, 408, "common.00000408", "timeout exception"),
        (rejected, 429, "APIG.0308", "The throttling threshold"),
        (broken, 500, "common.00000500", "internal error"),
        (broken, 502, "APIG.0202", ""),
        (broken, 503, "common.00000503", ""),
        (broken, 504, "APIG.0203", ""),
    ]:
        answer_once(control, "CreateWorkspace", status)
        fails(kind, status, code, beginning, client.create_workspace, valid)
    # For GET, the SDK's transport turns a 429 into an exception that has lost the body.
    answer_once(control, "ListWorkspaces", 429)
    error = fails(rejected, 429, "429", "", client.list_workspaces, ListWorkspacesRequest())
    assert "too many 429 error responses" in error.error_msg, error
    assert client.list_workspaces(ListWorkspacesRequest()).total == 0
    print("  errors: 400, 401 of an unknown key and of a wrong secret, 403, 404, and by faults 408, 429,")
    print("  500, 502, 503, 504: each an exception with status, code, message and id of the request")


def asynchronous(key):
    client = build(DataArtsFabricAsyncClient, *key)
    inputs = [CreateWorkspaceRequestInput(f"async_{number}") for number in range(8)]
    futures = [client.create_workspace_async(CreateWorkspaceRequest(body)) for body in inputs]
    created = [future.result() for future in futures]
    for answered, asked in zip(created, inputs):
        holds(answered, asked)
    listed = client.list_workspaces_async(ListWorkspacesRequest(limit=100)).result()
    assert {found.id for found in listed.workspaces} == {answered.id for answered in created}, listed
    deleted = [client.delete_workspace_async(DeleteWorkspaceRequest(it.id)) for it in created]
    assert all(future.result().status_code == 200 for future in deleted)
    again = client.delete_workspace_async(DeleteWorkspaceRequest(created[0].id))
    is_gone(again.result)
    print("  async client: 8 workspaces created and deleted at once, listed in between; 404 raised")


def operations():
    """The operations that the SDK has."""
    methods = inspect.getmembers(DataArtsFabricClient, inspect.isfunction)
    return {name for name, _ in methods if hasattr(DataArtsFabricClient, f"_{name}_http_info")}


def main(control):
    key = (os.environ["HUAWEICLOUD_SDK_AK"], os.environ["HUAWEICLOUD_SDK_SK"])
    client = build(DataArtsFabricClient, *key)
    assert client.get_credentials().project_id, "the SDK found no project"
    run = Run(client)
    all_operations(run, control)
    errors(client, control, key)
    asynchronous(key)
    width = max(map(len, run.asserted))
    for operation, asserted in sorted(run.asserted.items()):
        print(f"  {operation:{width}}  {'; '.join(asserted)}")
    missing = operations() - run.asserted.keys()
    assert not missing, f"not asserted: {missing}"
    print(f"  {len(run.asserted)} of {len(operations())}")


main(*sys.argv[1:])
